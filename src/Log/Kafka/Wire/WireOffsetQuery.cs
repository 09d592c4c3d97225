using Microsoft.Extensions.Logging;

namespace OrleansMqtt.Log.Kafka.Wire;

/// <summary>Asks the leaders of the partitions, each on a thread and connection of its own.</summary>
internal sealed class WireOffsetQuery(WireSettings settings, ClusterMetadata metadata, ILogger logger) : IOffsetQuery, IDisposable
{
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LeadersLimit = TimeSpan.FromSeconds(1);
    private readonly WireSettings _settings = settings.With(AnswerLimit);
    private readonly Lock _lock = new();
    private readonly Dictionary<int, BrokerOffsets> _brokers = [];
    private bool _isStopping;

    public async Task<Dictionary<TopicPartitionId, PartitionOffsets>> AskAsync(IReadOnlySet<TopicPartitionId> partitions)
    {
        await WaitForLeadersAsync(partitions);
        var current = metadata.Current;
        List<Task<Dictionary<TopicPartitionId, PartitionOffsets>>> asking = [];
        foreach (var led in partitions.GroupBy(current.LeaderOf))
        {
            if (led.Key >= 0 && BrokerOf(led.Key) is { } broker)
            {
                asking.Add(broker.AskAsync([.. led]));
            }
        }

        var answers = (await Task.WhenAll(asking)).SelectMany(answered => answered).ToDictionary();
        if (answers.Count < partitions.Count)
        {
            metadata.Refresh();
        }

        return answers;
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _isStopping = true;
        }

        foreach (var broker in _brokers.Values)
        {
            broker.Dispose();
        }
    }

    /// <summary>Waits for the first answer about topics that nobody has asked about before.</summary>
    private async Task WaitForLeadersAsync(IReadOnlySet<TopicPartitionId> partitions)
    {
        TaskCompletionSource known = new(TaskCreationOptions.RunContinuationsAsynchronously);
        metadata.Refreshed += Look;
        try
        {
            foreach (var partition in partitions)
            {
                metadata.Watch(partition.Topic);
            }

            Look();
            await known.Task.WaitAsync(LeadersLimit);
        }
        catch (TimeoutException)
        {
            // Those are without an answer.
        }
        finally
        {
            metadata.Refreshed -= Look;
        }

        void Look()
        {
            var current = metadata.Current;
            if (partitions.All(partition => current.Tells(partition.Topic)))
            {
                known.TrySetResult();
            }
        }
    }

    private BrokerOffsets? BrokerOf(int broker)
    {
        lock (_lock)
        {
            if (_isStopping)
            {
                return null;
            }

            if (!_brokers.TryGetValue(broker, out var offsets))
            {
                _brokers.Add(broker, offsets = new(broker, _settings, metadata, logger));
            }

            return offsets;
        }
    }
}
