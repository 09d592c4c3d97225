namespace OrleansMqtt.Conformance.Tests.Protocol;

internal sealed record UnsubAck(ushort PacketId, PropertyList Properties, byte[] Codes) : Packet
{
    public static UnsubAck Read(PacketReader reader, MqttVersion version) =>
        version is V5 ? new(reader.ReadUInt16(), PropertyList.ReadFrom(reader), reader.ReadRest()) : new(reader.ReadUInt16(), [], []);
}
