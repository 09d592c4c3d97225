using System.Collections.Concurrent;
using OrleansMqtt.Log;

namespace OrleansMqtt.Streams.Kafka;

/// <summary>Creates a <see cref="PartitionQueue"/> for each pulling agent: it's both the agent's receiver and its cache.</summary>
internal sealed class LogQueueAdapter(string name, LogQueueMapper mapper, Func<TopicPartitionId, PartitionQueue> createQueue) : IQueueAdapter, IQueueAdapterCache
{
    private readonly ConcurrentDictionary<QueueId, PartitionQueue> _queues = new();

    public string Name => name;

    public bool IsRewindable => true;

    public StreamProviderDirection Direction => StreamProviderDirection.ReadOnly;

    // The agent asks for the cache first, then for the receiver.
    public IQueueCache CreateQueueCache(QueueId queueId) => _queues[queueId] = createQueue(mapper.GetPartition(queueId));

    public IQueueAdapterReceiver CreateReceiver(QueueId queueId) => _queues[queueId];

    public Task QueueMessageBatchAsync<T>(StreamId streamId, IEnumerable<T> events, StreamSequenceToken? token, Dictionary<string, object>? requestContext)
        => throw new NotSupportedException($"The stream provider '{name}' only reads: append to the log.");
}
