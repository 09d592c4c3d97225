using System.Buffers.Binary;
using System.Text;

namespace OrleansMqtt.LoadGenerator.Mqtt;

/// <summary>Encodes the packets that a client sends, except PUBLISH (see <see cref="PublishTemplate"/>).</summary>
internal static class PacketWriter
{
    public const int AcknowledgementLength = 4;

    public static ReadOnlySpan<byte> PingRequest => [(byte)PacketType.PingReq << 4, 0];

    public static ReadOnlySpan<byte> Disconnect => [(byte)PacketType.Disconnect << 4, 0];

    /// <summary>CONNECT (section 3.1).</summary>
    public static byte[] Connect(ConnectOptions options)
    {
        var body = new MemoryStream();
        bool isVersion5 = options.Protocol >= 5;
        var will = options.Will;
        WriteText(body, "MQTT");
        body.WriteByte((byte)options.Protocol);
        body.WriteByte((byte)((options.CleanStart ? 0x02 : 0) | (options.UserName is null ? 0 : 0x80) | (options.Password is null ? 0 : 0x40)
            | (will is null ? 0 : 0x04 | (will.QualityOfService << 3))));
        WriteUInt16(body, options.KeepAlive);
        if (isVersion5)
        {
            body.WriteByte((byte)((options.SessionExpiry is null ? 0 : 5) + (options.ReceiveMaximum > 0 ? 3 : 0)));
            if (options.SessionExpiry is { } expiry)
            {
                body.WriteByte(0x11);
                WriteUInt32(body, expiry);
            }

            if (options.ReceiveMaximum > 0)
            {
                body.WriteByte(0x21);
                WriteUInt16(body, (ushort)options.ReceiveMaximum);
            }
        }

        WriteText(body, options.ClientId);
        if (will is not null)
        {
            if (isVersion5)
            {
                body.WriteByte(5);
                body.WriteByte(0x18);
                WriteUInt32(body, will.DelaySeconds);
            }

            WriteText(body, will.Topic);
            WriteText(body, will.Payload);
        }

        if (options.UserName is not null)
        {
            WriteText(body, options.UserName);
        }

        if (options.Password is not null)
        {
            WriteText(body, options.Password);
        }

        return Packet((byte)PacketType.Connect << 4, body);
    }

    /// <summary>DISCONNECT of MQTT 5 with a Session Expiry Interval (section 3.14).</summary>
    public static byte[] DisconnectWithExpiry(uint sessionExpiry)
    {
        var body = new MemoryStream();
        body.Write([0, 5, 0x11]);
        WriteUInt32(body, sessionExpiry);
        return Packet((byte)PacketType.Disconnect << 4, body);
    }

    /// <summary>PUBLISH with no properties (section 3.3).</summary>
    public static byte[] Publish(int protocol, ushort packetId, string topic, ReadOnlySpan<byte> payload, int qualityOfService, bool isDuplicate, bool isRetained = false)
    {
        var body = new MemoryStream();
        WriteText(body, topic);
        if (qualityOfService > 0)
        {
            WriteUInt16(body, packetId);
        }

        if (protocol >= 5)
        {
            body.WriteByte(0);
        }

        body.Write(payload);
        return Packet(((byte)PacketType.Publish << 4) | (qualityOfService << 1) | (isDuplicate ? 8 : 0) | (isRetained ? 1 : 0), body);
    }

    /// <summary>UNSUBSCRIBE from one topic filter (section 3.10).</summary>
    public static byte[] Unsubscribe(int protocol, ushort packetId, string filter)
    {
        var body = new MemoryStream();
        WriteUInt16(body, packetId);
        if (protocol >= 5)
        {
            body.WriteByte(0);
        }

        WriteText(body, filter);
        return Packet(((byte)PacketType.Unsubscribe << 4) | 2, body);
    }

    /// <summary>SUBSCRIBE to a topic filter, and to more below it (section 3.8).</summary>
    public static byte[] Subscribe(int protocol, ushort packetId, string filter, int qualityOfService, int further = 0)
    {
        var body = new MemoryStream();
        WriteUInt16(body, packetId);
        if (protocol >= 5)
        {
            body.WriteByte(0);
        }

        WriteText(body, filter);
        body.WriteByte((byte)qualityOfService);
        for (int i = 1; i <= further; i++)
        {
            WriteText(body, $"{filter}/{i}/#");
            body.WriteByte((byte)qualityOfService);
        }

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

    private static void WriteUInt32(MemoryStream body, uint value)
    {
        WriteUInt16(body, (ushort)(value >> 16));
        WriteUInt16(body, (ushort)value);
    }

    private static void WriteUInt16(MemoryStream body, ushort value)
    {
        body.WriteByte((byte)(value >> 8));
        body.WriteByte((byte)value);
    }
}
