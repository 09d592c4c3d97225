using Microsoft.Extensions.Logging;

namespace OrleansMqtt.Log.Kafka.Wire;

/// <summary>Asks the leaders of the partitions, or any broker, each on a thread and connection of its own.</summary>
internal sealed class WireQuery(WireSettings settings, ClusterMetadata metadata, ILogger logger) : IOffsetQuery, IDisposable
{
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LeadersLimit = TimeSpan.FromSeconds(1);
    private readonly WireSettings _settings = settings.With(AnswerLimit);
    private readonly Lock _lock = new();
    private readonly Dictionary<int, (BrokerQuery Query, SharedQuery<long> StableEnds)> _brokers = [];
    private bool _isStopping;
    private volatile int _lastTelling = -1;

    public Task<Dictionary<TopicPartitionId, PartitionOffsets>> AskAsync(IReadOnlySet<TopicPartitionId> partitions) => AskAsync(partitions, OffsetQuestion.AskAll);

    /// <summary>The ends of what readers of committed records see; who asks one broker at the same time shares its answer.</summary>
    public Task<Dictionary<TopicPartitionId, long>> AskStableEndsAsync(IReadOnlyCollection<TopicPartitionId> partitions) =>
        AskLeadersAsync(partitions, (broker, led) => broker.StableEnds.AskAsync(led));

    /// <summary>The answers of the leaders, of those partitions that have one and that it answers for, in a few seconds at most.</summary>
    public Task<Dictionary<TopicPartitionId, TAnswer>> AskAsync<TAnswer>(IReadOnlyCollection<TopicPartitionId> partitions, WireQuestion<TAnswer> question) =>
        AskLeadersAsync(partitions, (broker, led) => broker.Query.AskAsync(led, question));

    /// <summary>The identities of topics by any broker that answers for all of them, the one that did last if it can; empty for those that are not there.</summary>
    /// <exception cref="WireException">No broker answers, or none may tell.</exception>
    public async Task<Guid[]> AskTopicIdentitiesAsync(IReadOnlyList<string> topics)
    {
        // A question is about partitions: the first stands for its topic.
        TopicPartitionId[] partitions = [.. topics.Select(static topic => new TopicPartitionId(topic, 0))];
        await WaitForLeadersAsync(partitions);
        foreach (var broker in metadata.Current.BrokerIds.OrderByDescending(broker => broker == _lastTelling))
        {
            if (BrokerOf(broker) is var (query, _) && await query.AskAsync(partitions, TopicIdentityQuestion.Ask) is var answers && Array.TrueForAll(partitions, answers.ContainsKey))
            {
                _lastTelling = broker;
                return Array.ConvertAll(partitions, partition => answers[partition]);
            }

            metadata.Refresh();
        }

        throw new WireException($"No broker tells the identities of {string.Join(", ", topics)}.");
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _isStopping = true;
        }

        foreach (var (query, _) in _brokers.Values)
        {
            query.Dispose();
        }
    }

    private async Task<Dictionary<TopicPartitionId, TAnswer>> AskLeadersAsync<TAnswer>(
        IReadOnlyCollection<TopicPartitionId> partitions, Func<(BrokerQuery Query, SharedQuery<long> StableEnds), TopicPartitionId[], Task<Dictionary<TopicPartitionId, TAnswer>>> ask)
    {
        await WaitForLeadersAsync(partitions);
        var current = metadata.Current;
        List<Task<Dictionary<TopicPartitionId, TAnswer>>> asking = [];
        foreach (var led in partitions.GroupBy(current.LeaderOf))
        {
            if (led.Key >= 0 && BrokerOf(led.Key) is { } broker)
            {
                asking.Add(ask(broker, [.. led]));
            }
        }

        Dictionary<TopicPartitionId, TAnswer> answers = [];
        foreach (var answered in await Task.WhenAll(asking))
        {
            foreach (var (partition, answer) in answered)
            {
                answers[partition] = answer;
            }
        }

        if (!partitions.All(answers.ContainsKey))
        {
            metadata.Refresh();
        }

        return answers;
    }

    /// <summary>Waits for the first answer about topics that nobody has asked about before.</summary>
    private async Task WaitForLeadersAsync(IReadOnlyCollection<TopicPartitionId> partitions)
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

    private (BrokerQuery Query, SharedQuery<long> StableEnds)? BrokerOf(int broker)
    {
        lock (_lock)
        {
            if (_isStopping)
            {
                return null;
            }

            if (!_brokers.TryGetValue(broker, out var known))
            {
                BrokerQuery query = new(broker, _settings, metadata, logger);
                _brokers.Add(broker, known = (query, new(partitions => query.AskAsync([.. partitions], OffsetQuestion.AskStableEnd))));
            }

            return known;
        }
    }
}
