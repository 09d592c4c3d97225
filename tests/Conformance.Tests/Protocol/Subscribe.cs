namespace OrleansMqtt.Conformance.Tests.Protocol;

internal sealed record Subscribe(ushort PacketId, string Filter, int Options) : Packet
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
        writer.WriteByte((byte)Options);
        return writer.ToPacket(0x82);
    }
}
