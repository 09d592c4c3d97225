using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace OrleansMqtt.Edge.Protocol;

/// <summary>Writes the packets that are sent seldom, each into an array of its own.</summary>
internal static class PacketWriter
{
    public static readonly byte[] PingResp = [0xD0, 0x00];

    /// <summary>CONNACK that accepts a connection; <paramref name="properties"/> are for MQTT 5.</summary>
    public static byte[] ConnAck(ProtocolVersion version, bool sessionPresent, in ConnAckProperties properties)
    {
        var body = new ArrayBufferWriter<byte>(64);
        // MQTT 3.1 has no such flag.
        WriteByte(body, sessionPresent && version != ProtocolVersion.Mqtt31 ? (byte)1 : (byte)0);
        WriteByte(body, 0);
        if (version == ProtocolVersion.Mqtt5)
        {
            var values = new ArrayBufferWriter<byte>(64);
            properties.Write(values);
            WriteProperties(body, values.WrittenSpan);
        }

        return Frame(PacketType.ConnAck, body.WrittenSpan);
    }

    /// <summary>CONNACK that refuses a connection; null when the version has no code for the reason, and the connection is closed without an answer.</summary>
    public static byte[]? ConnAckRefusal(ProtocolVersion version, ReasonCode reason, string? text, uint maximumPacketSize, string? serverReference = null)
    {
        if (version == ProtocolVersion.Mqtt5)
        {
            return WithReasonString(PacketType.ConnAck, [0, (byte)reason], text, maximumPacketSize, serverReference);
        }

        byte returnCode = reason switch
        {
            ReasonCode.UnsupportedProtocolVersion => 1,
            ReasonCode.ClientIdentifierNotValid => 2,
            ReasonCode.ServerUnavailable or ReasonCode.QuotaExceeded or ReasonCode.ServerMoved or ReasonCode.ServerBusy or ReasonCode.ServerShuttingDown or ReasonCode.ImplementationSpecificError => 3,
            ReasonCode.BadUserNameOrPassword => 4,
            ReasonCode.NotAuthorized => 5,
            _ => 0,
        };
        return returnCode == 0 ? null : [0x20, 2, 0, returnCode];
    }

    /// <summary>DISCONNECT; only MQTT 5 has one from the server. Null when the client takes no packet of that size.</summary>
    public static byte[]? Disconnect(ReasonCode reason, string? text, uint maximumPacketSize, string? serverReference = null)
        => WithReasonString(PacketType.Disconnect, [(byte)reason], text, maximumPacketSize, serverReference);

    /// <summary>SUBACK; its Reason String is left out where it would make the packet too large for the client ([MQTT-3.9.2-1]).</summary>
    public static byte[] SubAck(ProtocolVersion version, ushort packetId, ReadOnlySpan<byte> reasonCodes, ReadOnlySpan<byte> reasonString, uint maximumPacketSize)
    {
        var packet = Acknowledge(PacketType.SubAck, version, packetId, reasonCodes, reasonString);
        return reasonString.IsEmpty || packet.Length <= maximumPacketSize ? packet : Acknowledge(PacketType.SubAck, version, packetId, reasonCodes, default);
    }

    public static byte[] UnsubAck(ProtocolVersion version, ushort packetId, ReadOnlySpan<byte> reasonCodes)
        => Acknowledge(PacketType.UnsubAck, version, packetId, version == ProtocolVersion.Mqtt5 ? reasonCodes : [], default);

    /// <summary>AUTH; only MQTT 5 has it.</summary>
    public static byte[] Auth(ReasonCode reason, string method, ReadOnlySpan<byte> data)
    {
        var values = new ArrayBufferWriter<byte>(64 + data.Length);
        WriteAuthentication(values, method, data);
        var body = new ArrayBufferWriter<byte>(8 + values.WrittenCount);
        WriteByte(body, (byte)reason);
        WriteProperties(body, values.WrittenSpan);
        return Frame(PacketType.Auth, body.WrittenSpan);
    }

    /// <summary>Authentication Method, and Authentication Data if there is any.</summary>
    public static void WriteAuthentication(IBufferWriter<byte> target, string method, ReadOnlySpan<byte> data)
    {
        WriteByte(target, (byte)PropertyId.AuthenticationMethod);
        WriteString(target, method);
        if (!data.IsEmpty)
        {
            WriteByte(target, (byte)PropertyId.AuthenticationData);
            WriteUInt16(target, checked((ushort)data.Length));
            target.Write(data);
        }
    }

    public static void WriteByte(IBufferWriter<byte> writer, byte value)
    {
        writer.GetSpan(1)[0] = value;
        writer.Advance(1);
    }

    public static void WriteUInt16(IBufferWriter<byte> writer, ushort value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(writer.GetSpan(2), value);
        writer.Advance(2);
    }

    public static void WriteUInt32(IBufferWriter<byte> writer, uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(writer.GetSpan(4), value);
        writer.Advance(4);
    }

    public static void WriteString(IBufferWriter<byte> writer, string text)
    {
        WriteUInt16(writer, (ushort)Encoding.UTF8.GetByteCount(text));
        Encoding.UTF8.GetBytes(text, writer);
    }

    private static byte[] Acknowledge(PacketType type, ProtocolVersion version, ushort packetId, ReadOnlySpan<byte> reasonCodes, ReadOnlySpan<byte> reasonString)
    {
        var body = new ArrayBufferWriter<byte>(8 + reasonCodes.Length + reasonString.Length);
        WriteUInt16(body, packetId);
        if (version == ProtocolVersion.Mqtt5)
        {
            WriteReasonString(body, reasonString);
        }

        body.Write(reasonCodes);
        return Frame(type, body.WrittenSpan);
    }

    /// <summary>
    /// A Reason String is left out where it would make the packet too large for the client ([MQTT-3.2.2-19], [MQTT-3.14.2-3]); null when the packet is too large without it.
    /// </summary>
    private static byte[]? WithReasonString(PacketType type, ReadOnlySpan<byte> fields, string? text, uint maximumPacketSize, string? serverReference)
    {
        var packet = Make(type, fields, text, serverReference);
        if (packet.Length > maximumPacketSize)
        {
            packet = Make(type, fields, null, serverReference);
        }

        return packet.Length <= maximumPacketSize ? packet : null;

        static byte[] Make(PacketType type, ReadOnlySpan<byte> fields, string? reasonString, string? serverReference)
        {
            var properties = new ArrayBufferWriter<byte>(128);
            WriteText(properties, PropertyId.ServerReference, serverReference);
            WriteText(properties, PropertyId.ReasonString, reasonString);
            var body = new ArrayBufferWriter<byte>(128);
            body.Write(fields);
            WriteProperties(body, properties.WrittenSpan);
            return Frame(type, body.WrittenSpan);
        }

        static void WriteText(ArrayBufferWriter<byte> properties, PropertyId id, string? text)
        {
            if (text is not null)
            {
                var bytes = Encoding.UTF8.GetBytes(text);
                WriteByte(properties, (byte)id);
                WriteUInt16(properties, (ushort)bytes.Length);
                properties.Write(bytes);
            }
        }
    }

    /// <summary>The properties of a packet that has a Reason String at most.</summary>
    private static void WriteReasonString(ArrayBufferWriter<byte> body, ReadOnlySpan<byte> reasonString)
    {
        if (reasonString.IsEmpty)
        {
            WriteByte(body, 0);
            return;
        }

        body.Advance(VariableInteger.Write(body.GetSpan(4), 3 + reasonString.Length));
        WriteByte(body, (byte)PropertyId.ReasonString);
        WriteUInt16(body, (ushort)reasonString.Length);
        body.Write(reasonString);
    }

    private static void WriteProperties(ArrayBufferWriter<byte> body, ReadOnlySpan<byte> values)
    {
        body.Advance(VariableInteger.Write(body.GetSpan(4), values.Length));
        body.Write(values);
    }

    private static byte[] Frame(PacketType type, ReadOnlySpan<byte> body)
    {
        var packet = new byte[1 + VariableInteger.GetLength(body.Length) + body.Length];
        packet[0] = (byte)((int)type << 4);
        var start = 1 + VariableInteger.Write(packet.AsSpan(1), body.Length);
        body.CopyTo(packet.AsSpan(start));
        return packet;
    }
}
