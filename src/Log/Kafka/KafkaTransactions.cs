using System.Diagnostics;
using Microsoft.Extensions.Logging;
using OrleansMqtt.Log.Kafka.Wire;

namespace OrleansMqtt.Log.Kafka;

/// <summary>
/// Sees to it that the transactions of one id end on every partition. A coordinator answers a commit first and has its markers written then, but a partition that has no leader at that
/// moment never gets its own (KAFKA-20734, Kafka 4.0 to 4.3 at least; so when the only broker of a partition stops): readers of committed records wait there for ever, and the next abort of
/// the same producer takes what was committed with it. So an owner begins no transaction before the last one has ended, and whoever opens an owner ends what was left.
/// </summary>
internal sealed class KafkaTransactions(string transactionalId, WireSettings settings, ClusterMetadata metadata, WireQuery query, SharedQuery<long> stableEnds, ILogger logger)
{
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LeadersLimit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(200);

    // Others' transactions hold the stable end back for milliseconds: only after that is it worth to ask for this one alone.
    private static readonly TimeSpan OthersLimit = TimeSpan.FromMilliseconds(30);

    // A coordinator that has much to do takes some time for its markers.
    private static readonly TimeSpan MarkersLimit = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(50);
    private readonly WireSettings _settings = settings.With(AnswerLimit);
    private long? _producerId;

    /// <summary>Waits until the last transaction has ended on its partitions; no other one is begun meanwhile.</summary>
    /// <param name="written">The partitions with the last offset there; -1 when it is not known.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>False when it never will: the coordinator has done with it, but a partition has not.</returns>
    public async Task<bool> WaitForEndAsync(IReadOnlyDictionary<TopicPartitionId, long> written, CancellationToken cancellationToken)
    {
        var open = written.ToDictionary();
        var isKnown = !open.ContainsValue(-1);
        var startedAt = Stopwatch.GetTimestamp();
        for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            if (isKnown)
            {
                foreach (var (partition, stable) in await stableEnds.AskAsync(open.Keys).WaitAsync(cancellationToken))
                {
                    if (open.TryGetValue(partition, out var last) && stable > last)
                    {
                        open.Remove(partition);
                    }
                }
            }

            var elapsed = Stopwatch.GetElapsedTime(startedAt);
            if (!isKnown || elapsed > MarkersLimit)
            {
                if (await LookAsync(open, cancellationToken) is { } hasEnded)
                {
                    return hasEnded;
                }
            }
            else if (elapsed > OthersLimit && open.Count > 0 && _producerId is { } producerId)
            {
                await RemoveEndedAsync(open, producerId, cancellationToken);
            }

            if (open.Count == 0)
            {
                return true;
            }

            await Task.Delay(pause, cancellationToken);
        }
    }

    /// <summary>What the coordinator knows of the id, before somebody takes it over; null when it tells nothing. Waits for Kafka.</summary>
    public async Task<TransactionState?> DescribeAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var (isAnswered, state) = await TryDescribeAsync();
            if (isAnswered)
            {
                return state;
            }

            await Task.Delay(RetryDelay, cancellationToken);
        }
    }

    /// <summary>Ends what the last transaction left open, as it ended elsewhere. To be called when the id was taken over, so that nothing of it can be going on.</summary>
    /// <param name="before">What was known of the id before it was taken over.</param>
    /// <param name="partitions">Where it may have written.</param>
    /// <param name="transactionTimeout">The time of its transactions.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>Whether anything was left. The id was taken over once more then: it has to be, again.</returns>
    public async Task<bool> EndLeftAsync(TransactionState before, IReadOnlySet<TopicPartitionId> partitions, TimeSpan transactionTimeout, CancellationToken cancellationToken)
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
    private async Task<bool?> LookAsync(Dictionary<TopicPartitionId, long> open, CancellationToken cancellationToken)
    {
        // In this order: what the coordinator has done with must have ended by the second answer.
        var (isAnswered, state) = await TryDescribeAsync();
        if (!isAnswered || state is null)
        {
            return isAnswered ? true : null;
        }

        var areAllAnswered = await RemoveEndedAsync(open, state.ProducerId, cancellationToken);
        return open.Count == 0 ? true : state.IsComplete && areAllAnswered ? false : null;
    }

    /// <summary>Removes the partitions on which a producer has no open transaction.</summary>
    /// <returns>Whether all partitions answered.</returns>
    private async Task<bool> RemoveEndedAsync(Dictionary<TopicPartitionId, long> open, long producerId, CancellationToken cancellationToken)
    {
        var answers = await query.AskAsync(open.Keys.ToHashSet(), OpenTransactionQuestion.Ask).WaitAsync(cancellationToken);
        var areAllAnswered = open.Keys.All(answers.ContainsKey);
        foreach (var (partition, producers) in answers)
        {
            if (!producers.ContainsKey(producerId))
            {
                open.Remove(partition);
            }
        }

        return areAllAnswered;
    }

    private async Task<(bool IsAnswered, TransactionState? State)> TryDescribeAsync()
    {
        try
        {
            var state = await Task.Run(() =>
            {
                using var coordinator = TransactionCoordinator.Find(_settings, metadata, transactionalId);
                return coordinator.Describe();
            });
            _producerId = state?.ProducerId;
            return (true, state);
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
