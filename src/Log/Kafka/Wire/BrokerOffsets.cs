using Microsoft.Extensions.Logging;

namespace OrleansMqtt.Log.Kafka.Wire;

/// <summary>Asks one broker for the offsets of partitions that it leads.</summary>
internal sealed class BrokerOffsets : BrokerWorker
{
    private const long Latest = -1;
    private const long Earliest = -2;
    private readonly Queue<Request> _requests = [];

    public BrokerOffsets(int broker, WireSettings settings, ClusterMetadata metadata, ILogger logger)
        : base(broker, settings, metadata, logger, $"Kafka offsets {broker}") => Start();

    private enum Isolation : byte
    {
        ReadUncommitted,
        ReadCommitted,
    }

    /// <summary>The offsets of those partitions that the broker answers for.</summary>
    public Task<Dictionary<TopicPartitionId, PartitionOffsets>> AskAsync(TopicPartitionId[] partitions)
    {
        Request request = new(partitions);
        lock (Gate)
        {
            if (IsStopping)
            {
                return Task.FromResult(new Dictionary<TopicPartitionId, PartitionOffsets>());
            }

            _requests.Enqueue(request);
            Monitor.PulseAll(Gate);
        }

        return request.Answer.Task;
    }

    protected override void Run()
    {
        while (WaitForNext() is { } request)
        {
            request.Answer.SetResult(IsStopping ? [] : Ask(request.Partitions));
        }
    }

    /// <returns>Null when it is stopped and nobody waits.</returns>
    private Request? WaitForNext()
    {
        lock (Gate)
        {
            while (!IsStopping && _requests.Count == 0)
            {
                Monitor.Wait(Gate);
            }

            return _requests.TryDequeue(out var request) ? request : null;
        }
    }

    private Dictionary<TopicPartitionId, PartitionOffsets> Ask(TopicPartitionId[] partitions)
    {
        try
        {
            EnsureConnected();

            // In this order: the start is no greater than the ends, and the stable end has passed the other one unless a transaction is open.
            var start = List(partitions, Earliest, Isolation.ReadUncommitted);
            var high = List(partitions, Latest, Isolation.ReadUncommitted);
            var stable = List(partitions, Latest, Isolation.ReadCommitted);
            OnSuccess();
            Dictionary<TopicPartitionId, PartitionOffsets> answers = [];
            foreach (var partition in partitions)
            {
                if (start.TryGetValue(partition, out var first) && high.TryGetValue(partition, out var end) && stable.TryGetValue(partition, out var committed))
                {
                    answers.Add(partition, new(first, committed, end));
                }
            }

            return answers;
        }
        catch (Exception exception)
        {
            TryFail(exception);
            return [];
        }
    }

    private Dictionary<TopicPartitionId, long> List(TopicPartitionId[] partitions, long time, Isolation isolation)
    {
        var writer = Connection!.Start(WireApi.ListOffsets);
        writer.WriteInt32(-1);
        writer.WriteInt8((byte)isolation);
        var topics = partitions.GroupBy(partition => partition.Topic).ToArray();
        writer.WriteInt32(topics.Length);
        foreach (var topic in topics)
        {
            writer.WriteString(topic.Key);
            writer.WriteInt32(topic.Count());
            foreach (var partition in topic)
            {
                writer.WriteInt32(partition.Partition);
                writer.WriteInt32(-1);
                writer.WriteInt64(time);
            }
        }

        var reader = Connection.SendAndReceive();
        _ = reader.ReadInt32();
        Dictionary<TopicPartitionId, long> offsets = [];
        for (var left = reader.ReadCount(); left > 0; left--)
        {
            var topic = reader.ReadString();
            for (var parts = reader.ReadCount(); parts > 0; parts--)
            {
                var partition = reader.ReadInt32();
                var error = reader.ReadInt16();
                _ = reader.ReadInt64();
                var offset = reader.ReadInt64();
                _ = reader.ReadInt32();
                if (error == WireError.None)
                {
                    offsets[new(topic, partition)] = offset;
                }
            }
        }

        return offsets;
    }

    private sealed record Request(TopicPartitionId[] Partitions)
    {
        public TaskCompletionSource<Dictionary<TopicPartitionId, PartitionOffsets>> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
