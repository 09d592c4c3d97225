namespace OrleansMqtt.Conformance.Tests.Protocol;

internal sealed record PubRel(ushort PacketId, byte Code, PropertyList Properties) : AcknowledgementPacket(PacketId, Code, Properties)
{
    public PubRel(ushort packetId, byte code = 0)
        : this(packetId, code, [])
    {
    }

    protected override byte FirstByte => 0x62;
}
