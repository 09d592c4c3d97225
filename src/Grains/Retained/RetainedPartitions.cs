using System.Text.Unicode;
using Microsoft.Extensions.Options;
using OrleansMqtt.Log;
using OrleansMqtt.Log.Kafka;

namespace OrleansMqtt.Grains;

/// <summary>The partitions of the retained topic.</summary>
internal sealed class RetainedPartitions(IOptions<TopicsOptions> options) : IRetainedTopic
{
    private readonly TopicOptions _retained = options.Value.Retained;

    public string Topic => _retained.Name;

    public IReadOnlyList<TopicPartitionId> All { get; } = [.. Enumerable.Range(0, options.Value.Retained.Partitions).Select(partition => new TopicPartitionId(options.Value.Retained.Name, partition))];

    /// <summary>Whether the key of a record is a topic name: not empty, no wildcard, no null character ([MQTT-3.3.2-2], [MQTT-4.7.3-1], [MQTT-4.7.3-2]).</summary>
    public static bool IsTopicName(ReadOnlySpan<byte> key) => key.Length is > 0 and <= ushort.MaxValue && key.IndexOfAny((byte)'+', (byte)'#', (byte)0) < 0 && Utf8.IsValid(key);

    public int PartitionOf(ReadOnlySpan<byte> topic) => KafkaPartitioner.PartitionOf(topic, _retained.Partitions);
}
