using System.Buffers.Binary;
using System.Text;

namespace OrleansMqtt.LoadGenerator.Mqtt;

/// <summary>What a CONNACK (section 3.2) says that matters to a client which only measures.</summary>
internal readonly record struct ConnAck(byte Reason, int ReceiveMaximum, int MaximumQualityOfService, int? ServerKeepAlive, string? ReasonText)
{
    public bool SessionPresent { get; init; }

    /// <exception cref="LoadException">The packet is malformed.</exception>
    public static ConnAck Read(ReadOnlySpan<byte> body, int protocol)
    {
        if (body.Length < 2)
        {
            throw Malformed();
        }

        var result = new ConnAck(body[1], ushort.MaxValue, 2, null, null) { SessionPresent = (body[0] & 1) != 0 };
        if (protocol < 5 || body.Length < 3)
        {
            return result;
        }

        if (!PacketReader.TryReadVariable(body[2..], out int length, out int bytes) || 2 + bytes + length > body.Length)
        {
            throw Malformed();
        }

        var properties = body.Slice(2 + bytes, length);
        while (properties.Length > 0)
        {
            byte id = properties[0];
            properties = properties[1..];
            int size = ValueLength(id, properties);
            if (size > properties.Length)
            {
                throw Malformed();
            }

            switch (id)
            {
                case 0x13:
                    result = result with { ServerKeepAlive = BinaryPrimitives.ReadUInt16BigEndian(properties) };
                    break;
                case 0x1F:
                    result = result with { ReasonText = Encoding.UTF8.GetString(properties[2..size]) };
                    break;
                case 0x21:
                    result = result with { ReceiveMaximum = BinaryPrimitives.ReadUInt16BigEndian(properties) };
                    break;
                case 0x24:
                    result = result with { MaximumQualityOfService = properties[0] };
                    break;
            }

            properties = properties[size..];
        }

        return result;
    }

    private static int ValueLength(byte id, ReadOnlySpan<byte> rest) => id switch
    {
        0x11 or 0x27 => 4,
        0x13 or 0x21 or 0x22 => 2,
        0x24 or 0x25 or 0x28 or 0x29 or 0x2A => 1,
        0x12 or 0x15 or 0x16 or 0x1A or 0x1C or 0x1F => TextLength(rest),
        0x26 => TextLength(rest) is var name && name <= rest.Length ? name + TextLength(rest[name..]) : throw Malformed(),
        _ => throw Malformed(),
    };

    private static int TextLength(ReadOnlySpan<byte> rest) => rest.Length < 2 ? throw Malformed() : 2 + BinaryPrimitives.ReadUInt16BigEndian(rest);

    private static LoadException Malformed() => new("the server sent a malformed CONNACK");
}
