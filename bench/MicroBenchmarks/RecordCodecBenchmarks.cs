using BenchmarkDotNet.Attributes;
using Microsoft.Extensions.Options;
using OrleansMqtt.Grains;
using OrleansMqtt.Log;

namespace OrleansMqtt.MicroBenchmarks;

/// <summary>Messages to records and back.</summary>
[MemoryDiagnoser]
public class RecordCodecBenchmarks
{
    private static readonly byte[] Key = "site/7/temperature"u8.ToArray();
    private static readonly byte[] Client = "sensor-7"u8.ToArray();
    private readonly RecordCodec _codec = new(Options.Create(new TopicsOptions()));
    private readonly Utf8StringCache _strings = new();
    private readonly MqttMessage _message = new() { Topic = "site/7/temperature", Payload = new byte[256], QoS = 1, PublisherClientId = "sensor-7" };
    private StoredRecord _record = null!;

    [GlobalSetup]
    public void SetUp()
    {
        var record = Encode();
        _record = new() { Offset = 1, Key = record.Key, Value = record.Value, Headers = record.Headers, TimestampMilliseconds = 1 };
    }

    [Benchmark]
    public LogRecord Encode() => _codec.Encode(Key, _message, Client, replyTopic: null);

    [Benchmark]
    public object? Decode() => _codec.Decode(_record, defaultQoS: 1, _strings);
}
