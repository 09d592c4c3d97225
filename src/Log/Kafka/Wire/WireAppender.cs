using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace OrleansMqtt.Log.Kafka.Wire;

/// <summary>
/// The producer of the process: idempotent, acknowledged by all in-sync replicas, and it never gives up. A record is encoded at once into the open batch of its partition; each broker
/// has one thread that sends all batches of its partitions in one request, and while it is on its way the next batches fill.
/// </summary>
internal sealed class WireAppender : IKafkaAppender
{
    public const string ClosedReason = "The log was closed before Kafka acknowledged the record.";
    private const int MaximumPooled = 256;
    private static readonly TimeSpan UnknownTopicLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan FlushLimit = TimeSpan.FromSeconds(10);
    private readonly ConcurrentDictionary<string, AppendQueue[]> _topics = new(StringComparer.Ordinal);
    private readonly Dictionary<int, BrokerSender> _senders = [];
    private readonly List<AppendQueue> _parked = [];
    private readonly object _lock = new();
    private readonly ConcurrentQueue<AppendBatch> _pool = new();
    private bool _isStopping;

    public WireAppender(WireSettings settings, ClusterMetadata metadata, LogMetrics metrics, ILogger logger)
    {
        (Settings, Metadata, Metrics, Logger) = (settings, metadata, metrics, logger);
        metadata.Refreshed += Route;
    }

    public WireSettings Settings { get; }

    public ClusterMetadata Metadata { get; }

    public LogMetrics Metrics { get; }

    public ILogger Logger { get; }

    public void AddTopic(string topic, int partitions)
    {
        lock (_lock)
        {
            var known = _topics.GetValueOrDefault(topic) ?? [];
            if (known.Length < partitions)
            {
                _topics[topic] = [.. known, .. Enumerable.Range(known.Length, partitions - known.Length).Select(partition => new AppendQueue(this, new(topic, partition)))];
            }
        }

        Metadata.Watch(topic);
    }

    public void Append(string topic, int partition, in LogRecord record, IAppendCompletion completion, long state) =>
        _topics[topic][partition].Append(record, completion, state);

    /// <summary>Gives a queue to the sender of its leader, or lets it wait until there is one.</summary>
    public void Schedule(AppendQueue queue)
    {
        lock (_lock)
        {
            if (Metadata.Current.LeaderOf(queue.Partition) is >= 0 and var leader && !_isStopping)
            {
                SenderOf(leader).Enqueue(queue);
                return;
            }

            _parked.Add(queue);
        }

        Metadata.Refresh();
    }

    /// <summary>Lets a queue wait until the leaders are known anew: the pause between attempts.</summary>
    public void Park(AppendQueue queue)
    {
        lock (_lock)
        {
            _parked.Add(queue);
        }

        Metadata.Refresh();
    }

    public AppendBatch RentBatch(int expectedSize)
    {
        if (!_pool.TryDequeue(out var batch))
        {
            batch = new();
        }

        batch.Reset(expectedSize);
        return batch;
    }

    public void ReturnBatch(AppendBatch batch)
    {
        if (_pool.Count < MaximumPooled)
        {
            batch.Reset(expectedSize: 0);
            _pool.Enqueue(batch);
        }
    }

    public void Dispose()
    {
        var queues = _topics.Values.SelectMany(queues => queues).ToArray();
        SpinWait.SpinUntil(() => Array.TrueForAll(queues, queue => queue.IsEmpty), FlushLimit);
        Metadata.Refreshed -= Route;
        BrokerSender[] senders;
        lock (_lock)
        {
            _isStopping = true;
            senders = [.. _senders.Values];
        }

        foreach (var sender in senders)
        {
            sender.Dispose();
        }

        foreach (var queue in queues)
        {
            queue.FailAll(ClosedReason, close: true);
        }
    }

    /// <summary>Leaders may have changed: what waits for one, or at another one, goes where it belongs.</summary>
    private void Route()
    {
        var current = Metadata.Current;
        List<AppendQueue> unknown = [];
        var isLeaderless = false;
        lock (_lock)
        {
            foreach (var sender in _senders.Values)
            {
                sender.TakeMisplaced(current, _parked);
            }

            for (var i = _parked.Count - 1; i >= 0; i--)
            {
                var queue = _parked[i];
                if (current.LeaderOf(queue.Partition) is >= 0 and var leader && !_isStopping)
                {
                    queue.UnknownSince = 0;
                    SenderOf(leader).Enqueue(queue);
                    _parked.RemoveAt(i);
                }
                else if (IsUnknownForLong(queue, current))
                {
                    unknown.Add(queue);
                    _parked.RemoveAt(i);
                }
            }

            isLeaderless = _parked.Count > 0;
        }

        foreach (var queue in unknown)
        {
            queue.FailAll($"Kafka has no topic '{queue.Partition.Topic}' any more.", close: false);
        }

        if (isLeaderless)
        {
            Metadata.Refresh();
        }
    }

    private static bool IsUnknownForLong(AppendQueue queue, ClusterSnapshot current)
    {
        if (!current.IsUnknown(queue.Partition.Topic))
        {
            queue.UnknownSince = 0;
            return false;
        }

        var now = Environment.TickCount64;
        queue.UnknownSince = queue.UnknownSince == 0 ? now : queue.UnknownSince;
        return now - queue.UnknownSince >= UnknownTopicLimit.TotalMilliseconds;
    }

    private BrokerSender SenderOf(int broker)
    {
        if (!_senders.TryGetValue(broker, out var sender))
        {
            _senders[broker] = sender = new(this, broker);
        }

        return sender;
    }
}
