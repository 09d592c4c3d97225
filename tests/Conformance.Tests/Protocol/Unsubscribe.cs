namespace OrleansMqtt.Conformance.Tests.Protocol;

internal sealed record Unsubscribe(ushort PacketId, string Filter) : Packet
{
    public byte[] Encode(MqttVersion version)
    {
        PacketWriter writer = new();
        writer.WriteUInt16(PacketId);
        if (version is V5)
        {
            writer.WriteByte(0);
        }

        writer.WriteText(Filter);
        return writer.ToPacket(0xA2);
    }
}
