namespace OrleansMqtt.Conformance.Tests.Protocol;

internal sealed record ConnAck(bool IsSessionPresent, byte Code, PropertyList Properties) : Packet
{
    public static ConnAck Read(PacketReader reader, MqttVersion version)
    {
        var flags = reader.ReadByte();
        Assert.True(flags < 2, "Bits 7 to 1 of the flags of CONNACK are reserved.");
        var code = reader.ReadByte();

        // A server that refuses the version of a CONNECT answers in one of its own.
        return new(flags == 1, code, version is V5 && !reader.IsAtEnd ? PropertyList.ReadFrom(reader) : []);
    }
}
