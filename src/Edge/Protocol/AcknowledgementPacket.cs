namespace OrleansMqtt.Edge.Protocol;

/// <summary>A PUBACK, PUBREC, PUBREL or PUBCOMP (MQTT 5, 3.4 to 3.7), which differ in their reason codes only.</summary>
internal readonly record struct AcknowledgementPacket(ushort PacketId, byte ReasonCode)
{
    public static AcknowledgementPacket Read(PacketType type, ReadOnlySpan<byte> body, ProtocolVersion version)
    {
        var reader = new PacketReader(body);
        var packetId = reader.ReadPacketId();
        if (version != ProtocolVersion.Mqtt5 || reader.IsAtEnd)
        {
            reader.ExpectEnd();
            return new AcknowledgementPacket(packetId, 0);
        }

        var reasonCode = reader.ReadByte();
        if (!IsReasonCode(type, reasonCode))
        {
            MqttProtocolException.ThrowMalformed($"0x{reasonCode:X2} is no reason code of {type}.");
        }

        if (!reader.IsAtEnd)
        {
            PropertyReader.SkipReason(ref reader);
            reader.ExpectEnd();
        }

        return new AcknowledgementPacket(packetId, reasonCode);
    }

    private static bool IsReasonCode(PacketType type, byte code)
        => type is PacketType.PubAck or PacketType.PubRec
            ? code is 0x00 or 0x10 or 0x80 or 0x83 or 0x87 or 0x90 or 0x91 or 0x97 or 0x99
            : code is 0x00 or (byte)Protocol.ReasonCode.PacketIdentifierNotFound;
}
