namespace OrleansMqtt.Conformance.Tests.Protocol;

internal sealed record SubAck(ushort PacketId, PropertyList Properties, byte[] Codes) : Packet
{
    public static SubAck Read(PacketReader reader, MqttVersion version) => new(reader.ReadUInt16(), version is V5 ? PropertyList.ReadFrom(reader) : [], reader.ReadRest());
}
