namespace OrleansMqtt.Conformance.Tests.Protocol;

/// <summary>A packet that the server sent, or that a test builds.</summary>
internal abstract record Packet
{
    /// <summary>Bytes with the fixed header.</summary>
    public int Size { get; init; }

    public static Packet Parse(MqttVersion version, byte firstByte, byte[] body, int size)
    {
        PacketReader reader = new(body);
        var (type, flags) = (firstByte >> 4, firstByte & 0x0F);
        Assert.True(type is 3 || flags == (type is 6 ? 2 : 0), $"The reserved flags of {firstByte:X2} are wrong.");
        Packet packet = type switch
        {
            2 => ConnAck.Read(reader, version),
            3 => Publish.Read(reader, version, flags),
            4 => AcknowledgementPacket.Read(reader, (id, code, properties) => new PubAck(id, code, properties)),
            5 => AcknowledgementPacket.Read(reader, (id, code, properties) => new PubRec(id, code, properties)),
            6 => AcknowledgementPacket.Read(reader, (id, code, properties) => new PubRel(id, code, properties)),
            7 => AcknowledgementPacket.Read(reader, (id, code, properties) => new PubComp(id, code, properties)),
            9 => SubAck.Read(reader, version),
            11 => UnsubAck.Read(reader, version),
            13 => new PingResponse(),
            14 when version is V5 => Disconnect.Read(reader),
            15 when version is V5 => Auth.Read(reader),
            _ => throw new InvalidDataException($"A server does not send {firstByte:X2}."),
        };
        Assert.True(reader.IsAtEnd, $"Bytes follow the fields of {packet}.");
        Assert.True(version is V5 || packet is not AcknowledgementPacket || body.Length == 2, $"{packet} is longer than MQTT 3.1.1 allows.");
        return packet with { Size = size };
    }
}
