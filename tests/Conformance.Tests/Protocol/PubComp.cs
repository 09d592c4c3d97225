namespace OrleansMqtt.Conformance.Tests.Protocol;

internal sealed record PubComp(ushort PacketId, byte Code, PropertyList Properties) : AcknowledgementPacket(PacketId, Code, Properties)
{
    public PubComp(ushort packetId, byte code = 0)
        : this(packetId, code, [])
    {
    }

    protected override byte FirstByte => 0x70;
}
