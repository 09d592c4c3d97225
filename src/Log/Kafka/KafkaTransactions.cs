using System.Diagnostics;
using Microsoft.Extensions.Logging;
using OrleansMqtt.Log.Kafka.Wire;

namespace OrleansMqtt.Log.Kafka;

/// <summary>
/// Sees to it that transactions end on every partition. A coordinator answers a commit first and has its markers written then, but a partition that has no leader at that moment never
/// gets its own (KAFKA-20734, Kafka 4.0 to 4.3 at least; so when the only broker of a partition stops): readers of committed records wait there for ever, and the next abort of the same
/// producer takes what was committed with it. So an owner begins no transaction before the last one has ended, and whoever opens an owner ends what was left.
/// </summary>
internal sealed class KafkaTransactions(WireSettings settings, ClusterMetadata metadata, WireQuery query, ILogger logger)
{
    private static readonly TimeSpan LeadersLimit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(200);

    // Others' transactions hold the stable end back for milliseconds: only after that is it worth to ask for this one alone.
    private static readonly TimeSpan OthersLimit = TimeSpan.FromMilliseconds(30);
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(50);
    private readonly WireSettings _settings = settings.With(TimeSpan.FromSeconds(5));
    private readonly SharedQuery<long> _stableEnds = new(partitions => query.AskAsync(partitions, OffsetQuestion.AskStableEnd));

    /// <summary>Waits until the last transaction of an id has ended on its partitions.</summary>
    /// <param name="transactionalId">The id; it begins no other transaction meanwhile.</param>
    /// <param name="written">The partitions with the last offset there; -1 when it is not known.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>False when it never will: the coordinator has done with it, but a partition has not.</returns>
    public async Task<bool> WaitForEndAsync(string transactionalId, IReadOnlyDictionary<TopicPartitionId, long> written, CancellationToken cancellationToken)
    {
        var open = written.ToDictionary();
        var startedAt = Stopwatch.GetTimestamp();
        for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            var isKnown = !open.ContainsValue(-1);
            if (isKnown)
            {
                foreach (var (partition, stable) in await _stableEnds.AskAsync(open.Keys).WaitAsync(cancellationToken))
                {
                    if (open.TryGetValue(partition, out var last) && stable > last)
                    {
                        open.Remove(partition);
                    }
                }

                if (open.Count == 0)
                {
                    return true;
                }
            }

            if ((!isKnown || Stopwatch.GetElapsedTime(startedAt) > OthersLimit) && await LookAsync(transactionalId, open, cancellationToken) is { } hasEnded)
            {
                return hasEnded;
            }

            await Task.Delay(pause, cancellationToken);
        }
    }

    /// <summary>What the coordinator knows of an id, before somebody takes it over; null when it tells nothing. Waits for Kafka.</summary>
    public async Task<TransactionState?> DescribeAsync(string transactionalId, CancellationToken cancellationToken)
    {
        while (true)
        {
            var (isAnswered, state) = await TryDescribeAsync(transactionalId);
            if (isAnswered)
            {
                return state;
            }

            await Task.Delay(RetryDelay, cancellationToken);
        }
    }

    /// <summary>Ends what the last transaction of an id left open, as it ended elsewhere. To be called when the id was taken over, so that nothing of it can be going on.</summary>
    /// <param name="transactionalId">The id.</param>
    /// <param name="before">What was known of it before it was taken over.</param>
    /// <param name="partitions">Where it may have written.</param>
    /// <param name="transactionTimeout">The time of its transactions.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>Whether anything was left. The id was taken over once more then: it has to be, again.</returns>
    public async Task<bool> EndLeftAsync(
        string transactionalId, TransactionState before, IReadOnlySet<TopicPartitionId> partitions, TimeSpan transactionTimeout, CancellationToken cancellationToken)
    {
        var left = await FindOpenAsync(before.ProducerId, partitions, cancellationToken);
        if (left.Length == 0)
        {
            return false;
        }

        logger.LogTransactionLeft(transactionalId, string.Join(", ", left), before.IsCommit ? "committed" : "aborted");
        ProducerIdentity? producer = null;
        while (true)
        {
            try
            {
                await Task.Run(
                    () =>
                    {
                        using var coordinator = TransactionCoordinator.Find(_settings, metadata, transactionalId);

                        // Once alone: it would abort what the last attempt may have begun.
                        producer ??= coordinator.Initialize(transactionTimeout);
                        coordinator.End(producer.Value, left, before.IsCommit);
                    },
                    CancellationToken.None);
                return true;
            }
            catch (Exception exception) when (WireConnection.IsFailure(exception))
            {
                logger.LogTransactionRetried(transactionalId, exception.Message);
                await Task.Delay(RetryDelay, cancellationToken);
            }
        }
    }

    /// <returns>Whether it has ended on all partitions, or (false) never will; null when that is not decided.</returns>
    private async Task<bool?> LookAsync(string transactionalId, Dictionary<TopicPartitionId, long> open, CancellationToken cancellationToken)
    {
        // In this order: what the coordinator has done with must have ended by the second answer.
        var (isAnswered, state) = await TryDescribeAsync(transactionalId);
        if (!isAnswered || state is null)
        {
            return isAnswered ? true : null;
        }

        var answers = await query.AskAsync(open.Keys.ToHashSet(), OpenTransactionQuestion.Ask).WaitAsync(cancellationToken);
        foreach (var (partition, producers) in answers)
        {
            if (!producers.ContainsKey(state.ProducerId))
            {
                open.Remove(partition);
            }
        }

        return open.Count == 0 ? true : state.IsComplete && open.Keys.All(answers.ContainsKey) ? false : null;
    }

    private async Task<(bool IsAnswered, TransactionState? State)> TryDescribeAsync(string transactionalId)
    {
        try
        {
            return await Task.Run(() =>
            {
                using var coordinator = TransactionCoordinator.Find(_settings, metadata, transactionalId);
                return (true, coordinator.Describe());
            });
        }
        catch (Exception exception) when (WireConnection.IsFailure(exception))
        {
            return (false, null);
        }
    }

    private async Task<TopicPartitionId[]> FindOpenAsync(long producerId, IReadOnlySet<TopicPartitionId> partitions, CancellationToken cancellationToken)
    {
        List<TopicPartitionId> found = [];
        var unanswered = partitions.ToHashSet();
        for (var startedAt = Stopwatch.GetTimestamp(); unanswered.Count > 0;)
        {
            var offsets = await query.AskAsync(unanswered).WaitAsync(cancellationToken);
            unanswered.ExceptWith(offsets.Where(answer => answer.Value.Stable >= answer.Value.High).Select(answer => answer.Key));
            var held = unanswered.Where(offsets.ContainsKey).ToHashSet();
            foreach (var (partition, producers) in await query.AskAsync(held, OpenTransactionQuestion.Ask).WaitAsync(cancellationToken))
            {
                unanswered.Remove(partition);
                if (producers.ContainsKey(producerId))
                {
                    found.Add(partition);
                }
            }

            if (unanswered.Count == 0)
            {
                break;
            }

            if (Stopwatch.GetElapsedTime(startedAt) > LeadersLimit)
            {
                // The service of all others must not wait for a partition whose brokers are gone.
                logger.LogNotLookedAt(string.Join(", ", unanswered));
                break;
            }

            await Task.Delay(RetryDelay, cancellationToken);
        }

        return [.. found];
    }
}
