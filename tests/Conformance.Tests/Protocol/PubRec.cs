namespace OrleansMqtt.Conformance.Tests.Protocol;

internal sealed record PubRec(ushort PacketId, byte Code, PropertyList Properties) : AcknowledgementPacket(PacketId, Code, Properties)
{
    public PubRec(ushort packetId, byte code = 0)
        : this(packetId, code, [])
    {
    }

    protected override byte FirstByte => 0x50;
}
