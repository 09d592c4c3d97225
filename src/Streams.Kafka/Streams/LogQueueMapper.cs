using System.Collections.Frozen;
using System.IO.Hashing;
using System.Text;
using OrleansMqtt.Log;

namespace OrleansMqtt.Streams.Kafka;

/// <summary>One queue for each partition of the topics.</summary>
internal sealed class LogQueueMapper : IStreamQueueMapper
{
    private readonly FrozenDictionary<QueueId, TopicPartitionId> _partitions;
    private readonly FrozenDictionary<string, QueueId> _queues;

    public LogQueueMapper(IEnumerable<string> topics, Func<string, int> getPartitionCount)
    {
        var partitions = topics
            .SelectMany(topic => Enumerable.Range(0, getPartitionCount(topic)).Select(partition => new TopicPartitionId(topic, partition)))
            .Select(partition => KeyValuePair.Create(CreateQueueId(partition), partition))
            .ToArray();
        _partitions = partitions.ToFrozenDictionary();
        _queues = partitions.ToFrozenDictionary(pair => pair.Value.ToString(), pair => pair.Key);
    }

    public IEnumerable<QueueId> GetAllQueues() => _partitions.Keys;

    public QueueId GetQueueForStream(StreamId streamId)
        => _queues.TryGetValue(streamId.GetKeyAsString(), out var queue)
            ? queue
            : throw new ArgumentException($"'{streamId.GetKeyAsString()}' is not a partition of the topics of this provider.", nameof(streamId));

    public TopicPartitionId GetPartition(QueueId queueId) => _partitions[queueId];

    private static QueueId CreateQueueId(TopicPartitionId partition)
        => QueueId.GetQueueId(partition.Topic, (uint)partition.Partition, XxHash32.HashToUInt32(Encoding.UTF8.GetBytes(partition.ToString())));
}
