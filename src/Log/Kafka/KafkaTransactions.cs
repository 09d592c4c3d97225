using System.Diagnostics;
using Microsoft.Extensions.Logging;
using OrleansMqtt.Log.Kafka.Wire;

namespace OrleansMqtt.Log.Kafka;

/// <summary>
/// Sees to it that the transactions of one id end on every partition. A coordinator answers a commit first and has its markers written then, but a partition that has no leader at that
/// moment never gets its own (KAFKA-20734, Kafka 4.0 to 4.3 at least; so when the only broker of a partition stops): readers of committed records wait there for ever, and the next abort of
/// the same producer takes what was committed with it. So an owner begins no transaction before the last one has ended, and whoever takes an id over ends what was left, before it writes.
/// </summary>
internal sealed class KafkaTransactions(
    string ownerName, string transactionalId, TimeSpan transactionTimeout, WireSettings settings, ClusterMetadata metadata, WireQuery query, ILogger logger)
{
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LeadersLimit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan CoordinatorDelay = TimeSpan.FromMilliseconds(20);

    // Others' transactions hold the stable end back for milliseconds: only after that is it worth to ask for this one alone.
    private static readonly TimeSpan OthersLimit = TimeSpan.FromMilliseconds(30);

    // A coordinator that has much to do takes some time for its markers.
    private static readonly TimeSpan MarkersLimit = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(50);
    private readonly WireSettings _settings = settings.With(AnswerLimit);

    private TransactionState? _before;
    private HashSet<TopicPartitionId> _unseen = [];
    private long _takenOverAt;

    /// <summary>The id's producer; null when the brokers are too old to be asked.</summary>
    internal long? ProducerId { get; set; }

    /// <summary>Whether a partition had no leader when the id was taken over, so that nobody knows what was left open there.</summary>
    public bool IsUnseen(TopicPartitionId partition) => _unseen.Contains(partition);

    /// <summary>Whether it is time to take the id over once more, for partitions that had no leader.</summary>
    public bool HasToLookAgain => _unseen.Count > 0 && Stopwatch.GetElapsedTime(_takenOverAt) > LeadersLimit;

    /// <summary>Fences the id's producer and ends its last transaction on all partitions, as it was decided. The producer that follows does the same for this one. Waits for Kafka.</summary>
    /// <param name="partitions">Where it may have written.</param>
    /// <param name="wasCommitted">Whether its last transaction was committed, if that is known here: a coordinator forgets it in some cases.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="OwnerFencedException">Somebody else takes it over at the same time.</exception>
    /// <exception cref="WireException">Kafka refuses it for good.</exception>
    public async Task TakeOverAsync(IReadOnlySet<TopicPartitionId> partitions, bool? wasCommitted, CancellationToken cancellationToken)
    {
        if (await WithCoordinatorAsync(InitializeAsync, cancellationToken) is not { } taken)
        {
            return;
        }

        ProducerId = taken.Producer.Id;
        var commits = taken.Before switch
        {
            { IsCommit: true } => true,
            { IsAbort: true } => false,

            // It ended itself just then, or was taken over by somebody who did not come to the end of it: what may have been acknowledged counts.
            _ => wasCommitted ?? true,
        };
        while (true)
        {
            (var left, _unseen) = await FindOpenAsync(taken.Producer.Id, partitions, cancellationToken);
            _takenOverAt = Stopwatch.GetTimestamp();
            if (left.Count == 0)
            {
                return;
            }

            logger.LogTransactionLeft(ownerName, string.Join(", ", left), commits ? "committed" : "aborted", taken.Before?.Name ?? "unknown");

            // Not to be given up once it has begun: the next producer would abort it.
            await WithCoordinatorAsync(coordinator => EndAsync(coordinator, taken.Producer, left, commits), CancellationToken.None);
        }
    }

    /// <summary>Waits for the end of a transaction of the producer that followed; no other one is begun meanwhile.</summary>
    public async Task<TransactionEnd> WaitForEndAsync(WrittenTransaction transaction, CancellationToken cancellationToken)
    {
        var open = transaction.LastOffsets.ToDictionary();
        var isKnown = !open.ContainsValue(-1);
        var startedAt = Stopwatch.GetTimestamp();
        for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            var areAnswered = true;
            if (isKnown)
            {
                var answers = await query.AskStableEndsAsync(open.Keys).WaitAsync(cancellationToken);
                areAnswered = open.Keys.All(answers.ContainsKey);
                foreach (var (partition, stable) in answers)
                {
                    if (open.TryGetValue(partition, out var last) && stable > last)
                    {
                        open.Remove(partition);
                    }
                }
            }

            var elapsed = Stopwatch.GetElapsedTime(startedAt);
            if (open.Count > 0
                && areAnswered
                && (!isKnown || elapsed > OthersLimit)
                && await TryRemoveEndedAsync(open, cancellationToken)
                && open.Count > 0
                && (!isKnown || elapsed > MarkersLimit)
                && await LookAsync(transaction, open, cancellationToken) is { } end)
            {
                return end;
            }

            if (open.Count == 0)
            {
                return TransactionEnd.Complete;
            }

            await Task.Delay(areAnswered ? pause : RetryDelay, cancellationToken);
        }
    }

    /// <summary>Asks the coordinator about a transaction that is open on partitions; null when that does not decide it.</summary>
    private async Task<TransactionEnd?> LookAsync(WrittenTransaction transaction, Dictionary<TopicPartitionId, long> open, CancellationToken cancellationToken)
    {
        if (await TryDescribeAsync(cancellationToken) is not { } state)
        {
            return null;
        }

        if (transaction.IsCommitted && !state.IsCommit)
        {
            return TransactionEnd.Fenced;
        }

        // What the coordinator has done with must have ended by this answer.
        return state.IsComplete && await TryRemoveEndedAsync(open, cancellationToken) && open.Count > 0 ? TransactionEnd.Lost : null;
    }

    /// <summary>Removes the partitions on which the producer has nothing open.</summary>
    /// <returns>Whether all partitions answered.</returns>
    private async Task<bool> TryRemoveEndedAsync(Dictionary<TopicPartitionId, long> open, CancellationToken cancellationToken)
    {
        if (ProducerId is not { } producerId)
        {
            open.Clear();
            return true;
        }

        var answers = await query.AskAsync(open.Keys, OpenTransactionQuestion.Ask).WaitAsync(cancellationToken);
        var areAllAnswered = open.Keys.All(answers.ContainsKey);
        foreach (var (partition, producers) in answers)
        {
            if (!producers.Contains(producerId))
            {
                open.Remove(partition);
            }
        }

        return areAllAnswered;
    }

    /// <summary>Becomes the id's producer, and hears how its last transaction ends; null when the brokers are too old to be asked.</summary>
    private async Task<(ProducerIdentity Producer, TransactionState? Before)?> InitializeAsync(TransactionCoordinator coordinator)
    {
        if (!coordinator.IsTelling)
        {
            return null;
        }

        while (true)
        {
            // As long as the earlier producer has something open, which is aborted then, the state is asked for once more. Empty says nothing.
            var before = await BlockAsync(coordinator.Describe);
            _before = before is { IsCommit: false, IsAbort: false } && _before is not null ? _before : before;
            if (await BlockAsync(() => coordinator.TryInitialize(transactionTimeout)) is { } producer)
            {
                return (producer, _before);
            }

            await Task.Delay(CoordinatorDelay);
        }
    }

    /// <summary>A transaction of no records: its markers end what the producer has open.</summary>
    private static async Task<bool> EndAsync(TransactionCoordinator coordinator, ProducerIdentity producer, List<TopicPartitionId> partitions, bool commits)
    {
        await BlockAsync(() =>
        {
            coordinator.End(producer, partitions, commits);
            return true;
        });
        while (await BlockAsync(coordinator.Describe) is { IsComplete: false })
        {
            await Task.Delay(CoordinatorDelay);
        }

        return true;
    }

    /// <summary>On a thread of its own: a broker that hangs would take those of the pool away from everybody.</summary>
    private static Task<TResult> BlockAsync<TResult>(Func<TResult> ask) =>
        Task.Factory.StartNew(ask, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private async Task<TransactionState?> TryDescribeAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await BlockAsync(() =>
            {
                using var coordinator = TransactionCoordinator.Find(_settings, metadata, transactionalId);
                return coordinator.Describe();
            }).WaitAsync(cancellationToken);
        }
        catch (Exception exception) when (WireConnection.IsFailure(exception) && !cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    private async Task<TResult> WithCoordinatorAsync<TResult>(Func<TransactionCoordinator, Task<TResult>> ask, CancellationToken cancellationToken)
    {
        for (var isTold = false; ;)
        {
            try
            {
                using var coordinator = await BlockAsync(() => TransactionCoordinator.Find(_settings, metadata, transactionalId)).WaitAsync(cancellationToken);
                return await ask(coordinator);
            }
            catch (WireException exception) when (exception.IsFenced)
            {
                throw new OwnerFencedException(ownerName);
            }
            catch (Exception exception) when (WireConnection.IsFailure(exception) && exception is not WireException { IsFinal: true })
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (!isTold)
                {
                    isTold = true;
                    logger.LogTransactionRetried(ownerName, exception.Message);
                }
            }

            await Task.Delay(RetryDelay, cancellationToken);
        }
    }

    /// <summary>Where a producer has a transaction open; and where that is not known, because a partition has had no leader for some time.</summary>
    private async Task<(List<TopicPartitionId> Open, HashSet<TopicPartitionId> Unseen)> FindOpenAsync(
        long producerId, IReadOnlySet<TopicPartitionId> partitions, CancellationToken cancellationToken)
    {
        List<TopicPartitionId> open = [];
        var unseen = partitions.ToHashSet();
        for (var startedAt = Stopwatch.GetTimestamp(); ;)
        {
            var offsets = await query.AskAsync(unseen).WaitAsync(cancellationToken);
            unseen.ExceptWith(offsets.Where(answer => answer.Value.Stable >= answer.Value.High).Select(answer => answer.Key));
            foreach (var (partition, producers) in await query.AskAsync(unseen.Where(offsets.ContainsKey).ToArray(), OpenTransactionQuestion.Ask).WaitAsync(cancellationToken))
            {
                unseen.Remove(partition);
                if (producers.Contains(producerId))
                {
                    open.Add(partition);
                }
            }

            if (unseen.Count == 0)
            {
                return (open, unseen);
            }

            if (Stopwatch.GetElapsedTime(startedAt) > LeadersLimit)
            {
                // The service of all others must not wait for a partition whose brokers are gone.
                logger.LogUnseen(ownerName, string.Join(", ", unseen));
                return (open, unseen);
            }

            await Task.Delay(RetryDelay, cancellationToken);
        }
    }
}
