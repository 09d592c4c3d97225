using System.Buffers.Binary;
using System.Text;

namespace OrleansMqtt.LoadGenerator.Mqtt;

/// <summary>Encodes the packets that a client sends, except PUBLISH (see <see cref="PublishTemplate"/>).</summary>
internal static class PacketWriter
{
    public const int AcknowledgementLength = 4;

    public static ReadOnlySpan<byte> PingRequest => [(byte)PacketType.PingReq << 4, 0];

    public static ReadOnlySpan<byte> Disconnect => [(byte)PacketType.Disconnect << 4, 0];

    /// <summary>CONNECT with a clean session (section 3.1). A receive maximum of 0 leaves the property out.</summary>
    public static byte[] Connect(int protocol, string clientId, ushort keepAliveSeconds, string? userName, string? password, int receiveMaximum)
    {
        var body = new MemoryStream();
        WriteText(body, "MQTT");
        body.WriteByte((byte)protocol);
        body.WriteByte((byte)(0x02 | (userName is null ? 0 : 0x80) | (password is null ? 0 : 0x40)));
        WriteUInt16(body, keepAliveSeconds);
        if (protocol >= 5)
        {
            if (receiveMaximum > 0)
            {
                body.Write([3, 0x21]);
                WriteUInt16(body, (ushort)receiveMaximum);
            }
            else
            {
                body.WriteByte(0);
            }
        }

        WriteText(body, clientId);
        if (userName is not null)
        {
            WriteText(body, userName);
        }

        if (password is not null)
        {
            WriteText(body, password);
        }

        return Packet((byte)PacketType.Connect << 4, body);
    }

    /// <summary>SUBSCRIBE to one topic filter (section 3.8).</summary>
    public static byte[] Subscribe(int protocol, ushort packetId, string filter, int qualityOfService)
    {
        var body = new MemoryStream();
        WriteUInt16(body, packetId);
        if (protocol >= 5)
        {
            body.WriteByte(0);
        }

        WriteText(body, filter);
        body.WriteByte((byte)qualityOfService);
        return Packet(((byte)PacketType.Subscribe << 4) | 2, body);
    }

    /// <summary>PUBACK, PUBREC, PUBREL or PUBCOMP with success, in the short form that is the same in 3.1.1 and 5.</summary>
    public static void WriteAcknowledgement(Span<byte> target, PacketType type, ushort packetId)
    {
        target[0] = (byte)(((int)type << 4) | (type == PacketType.PubRel ? 2 : 0));
        target[1] = 2;
        BinaryPrimitives.WriteUInt16BigEndian(target[2..], packetId);
    }

    public static int WriteVariable(Span<byte> target, int value)
    {
        int bytes = 0;
        do
        {
            int digit = value & 0x7F;
            value >>= 7;
            target[bytes++] = (byte)(value > 0 ? digit | 0x80 : digit);
        }
        while (value > 0);

        return bytes;
    }

    private static byte[] Packet(int first, MemoryStream body)
    {
        Span<byte> length = stackalloc byte[4];
        int bytes = WriteVariable(length, (int)body.Length);
        return [(byte)first, .. length[..bytes], .. body.ToArray()];
    }

    private static void WriteText(MemoryStream body, string text)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(text);
        WriteUInt16(body, (ushort)utf8.Length);
        body.Write(utf8);
    }

    private static void WriteUInt16(MemoryStream body, ushort value)
    {
        body.WriteByte((byte)(value >> 8));
        body.WriteByte((byte)value);
    }
}
