namespace OrleansMqtt.Edge.Protocol;

/// <summary>A PUBACK (MQTT 5, 3.4).</summary>
internal readonly record struct PubAckPacket(ushort PacketId, byte ReasonCode)
{
    public static PubAckPacket Read(ReadOnlySpan<byte> body, ProtocolVersion version)
    {
        var reader = new PacketReader(body);
        var packetId = reader.ReadPacketId();
        if (version == ProtocolVersion.Mqtt311 || reader.IsAtEnd)
        {
            reader.ExpectEnd();
            return new PubAckPacket(packetId, 0);
        }

        var reasonCode = reader.ReadByte();
        if (reasonCode is not (0x00 or 0x10 or 0x80 or 0x83 or 0x87 or 0x90 or 0x91 or 0x97 or 0x99))
        {
            MqttProtocolException.ThrowMalformed($"0x{reasonCode:X2} is no reason code of PUBACK.");
        }

        if (!reader.IsAtEnd)
        {
            PropertyReader.SkipReason(ref reader);
            reader.ExpectEnd();
        }

        return new PubAckPacket(packetId, reasonCode);
    }
}
