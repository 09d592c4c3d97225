namespace OrleansMqtt.Conformance.Tests.Protocol;

internal sealed record Unsubscribe(ushort PacketId, string Filter) : Packet
{
    public PropertyList Properties { get; init; } = [];

    public byte[] Encode(MqttVersion version)
    {
        PacketWriter writer = new();
        writer.WriteUInt16(PacketId);
        if (version is V5)
        {
            Properties.WriteTo(writer);
        }

        writer.WriteText(Filter);
        return writer.ToPacket(0xA2);
    }
}
