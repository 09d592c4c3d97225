using Microsoft.Extensions.Logging;

namespace OrleansMqtt.Log.Kafka.Wire;

/// <summary>Asks the leaders of the partitions, each on a thread and connection of its own.</summary>
internal sealed class WireQuery(WireSettings settings, ClusterMetadata metadata, ILogger logger) : IOffsetQuery, IDisposable
{
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LeadersLimit = TimeSpan.FromSeconds(1);
    private readonly WireSettings _settings = settings.With(AnswerLimit);
    private readonly Lock _lock = new();
    private readonly Dictionary<int, BrokerQuery> _brokers = [];
    private bool _isStopping;

    public Task<Dictionary<TopicPartitionId, PartitionOffsets>> AskAsync(IReadOnlySet<TopicPartitionId> partitions) => AskAsync(partitions, OffsetQuestion.AskAll);

    /// <summary>The answers of the leaders, of those partitions that have one and that it answers for, in a few seconds at most.</summary>
    public async Task<Dictionary<TopicPartitionId, TAnswer>> AskAsync<TAnswer>(IReadOnlySet<TopicPartitionId> partitions, WireQuestion<TAnswer> question)
    {
        await WaitForLeadersAsync(partitions);
        var current = metadata.Current;
        List<Task<Dictionary<TopicPartitionId, TAnswer>>> asking = [];
        foreach (var led in partitions.GroupBy(current.LeaderOf))
        {
            if (led.Key >= 0 && BrokerOf(led.Key) is { } broker)
            {
                asking.Add(broker.AskAsync([.. led], question));
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
        if (AreTold())
        {
            return;
        }

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
            if (AreTold())
            {
                known.TrySetResult();
            }
        }

        bool AreTold()
        {
            var current = metadata.Current;
            return partitions.All(partition => current.Tells(partition.Topic));
        }
    }

    private BrokerQuery? BrokerOf(int broker)
    {
        lock (_lock)
        {
            if (_isStopping)
            {
                return null;
            }

            if (!_brokers.TryGetValue(broker, out var query))
            {
                _brokers.Add(broker, query = new(broker, _settings, metadata, logger));
            }

            return query;
        }
    }
}
