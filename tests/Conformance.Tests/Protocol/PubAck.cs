namespace OrleansMqtt.Conformance.Tests.Protocol;

internal sealed record PubAck(ushort PacketId, byte Code, PropertyList Properties) : AcknowledgementPacket(PacketId, Code, Properties)
{
    public PubAck(ushort packetId, byte code = 0)
        : this(packetId, code, [])
    {
    }

    protected override byte FirstByte => 0x40;
}
