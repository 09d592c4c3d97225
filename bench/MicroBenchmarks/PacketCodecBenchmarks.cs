using System.Buffers.Binary;
using BenchmarkDotNet.Attributes;
using OrleansMqtt.Edge.Protocol;

namespace OrleansMqtt.MicroBenchmarks;

/// <summary>Reading a QoS 1 PUBLISH of 256 bytes: framing, strict checks and decoding, without the copy of the payload.</summary>
[MemoryDiagnoser]
public class PacketCodecBenchmarks
{
    private readonly byte[] _body = new byte[2 + 18 + 2 + 1 + 256];

    [GlobalSetup]
    public void SetUp()
    {
        BinaryPrimitives.WriteUInt16BigEndian(_body, 18);
        "site/7/temperature"u8.CopyTo(_body.AsSpan(2));
        BinaryPrimitives.WriteUInt16BigEndian(_body.AsSpan(20), 1);
    }

    [Benchmark]
    public int ReadPublish()
    {
        var packet = PublishPacket.Read(flags: 0b0010, _body, ProtocolVersion.Mqtt5);
        return packet.Payload.Length + packet.PacketId;
    }
}
