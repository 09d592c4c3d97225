using System.Diagnostics;
using Microsoft.Extensions.Logging;
using OrleansMqtt.Log;

namespace OrleansMqtt.Storage.Kafka;

/// <summary>
/// One partition of a compacted topic as a key-value store with one writer: who opens it fences everybody who had it open. Commits are groups: one transaction at a time, and what
/// arrives while it commits shares the next. Values are not kept here: they are handed out when the store is opened, and written. All members may be called at any time from any thread.
/// </summary>
public sealed partial class PartitionStore : IAsyncDisposable
{
    /// <summary>The most records of a transaction, unless a single call brings more.</summary>
    public const int MaximumRecords = 10_000;

    /// <summary>The most bytes (keys, values, headers) of a transaction, unless a single call brings more.</summary>
    public const long MaximumBytes = 8 << 20;

    // What has not ended by then is ended by Kafka, or by the next owner.
    private static readonly TimeSpan ReleaseLimit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ReopenPause = TimeSpan.FromMilliseconds(200);

    private readonly Lock _lock = new();
    private readonly IMessageLog _log;
    private readonly string _ownerName;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _releasing = new();
    private readonly TaskCompletionSource _fenced = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ILogOwner _owner;
    private Queue<PendingCommit> _waiting = new();
    private Task _committing = Task.CompletedTask;
    private bool _isCommitting;
    private Exception? _ended;

    // Others write to the topic too, and nothing of it was loaded.
    private bool _isShared;

    // No record of the partition lies behind it, as far as this owner knows.
    private long _knownEnd;

    private PartitionStore(IMessageLog log, TopicPartitionId partition, string ownerName, ILogOwner owner, ILogger logger) =>
        (_log, Partition, _ownerName, _owner, _logger) = (log, partition, ownerName, owner, logger);

    /// <summary>The partition.</summary>
    public TopicPartitionId Partition { get; }

    /// <summary>The end of what was loaded: everything that this store commits lies at or behind it.</summary>
    public long LoadedTo { get; private set; }

    /// <summary>Completes when a later owner has the partition: nothing can be committed here any more.</summary>
    public Task Fenced => _fenced.Task;

    /// <summary>Fences every earlier owner of the name, ends the transaction that it may have open, and loads what the partition holds. Waits while the log is out of reach.</summary>
    /// <param name="log">The log; it knows the topic.</param>
    /// <param name="partition">The partition, of a compacted topic.</param>
    /// <param name="ownerName">The name that all owners of this partition use.</param>
    /// <param name="load">Called for the newest value of each key, by offset, before the store is returned.</param>
    /// <param name="logger">Where fencing is logged.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public static async Task<PartitionStore> OpenAsync(
        IMessageLog log, TopicPartitionId partition, string ownerName, Action<StoreEntry> load, ILogger logger, CancellationToken cancellationToken)
    {
        var startedAt = Stopwatch.GetTimestamp();
        PartitionStore store = new(log, partition, ownerName, await log.OpenOwnerAsync(ownerName, cancellationToken), logger);
        try
        {
            var count = 0;
            store._knownEnd = store.LoadedTo = await PartitionLoader.LoadAsync(
                log,
                partition,
                entry =>
                {
                    count++;
                    load(entry);
                },
                cancellationToken);
            var duration = Stopwatch.GetElapsedTime(startedAt);
            StoreMetrics.RecordLoad(partition.Topic, duration);
            store.LogOpened(partition, count, (long)duration.TotalMilliseconds);
            return store;
        }
        catch
        {
            await store._owner.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// The same for a topic that other producers write to as well: nothing is loaded, every record of a commit is written, and records of the topic may go to other partitions of it.
    /// </summary>
    /// <param name="log">The log; it knows the topic.</param>
    /// <param name="partition">The partition whose owner this is.</param>
    /// <param name="ownerName">The name that all owners of this partition use.</param>
    /// <param name="logger">Where fencing is logged.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public static async Task<PartitionStore> OpenSharedAsync(IMessageLog log, TopicPartitionId partition, string ownerName, ILogger logger, CancellationToken cancellationToken) =>
        new(log, partition, ownerName, await log.OpenOwnerAsync(ownerName, cancellationToken), logger) { _isShared = true };

    /// <summary>
    /// Joins the next transaction. Calls are committed, and complete, in their order; the records of one are never divided. Of records of the store's own partition with the same
    /// key, a transaction holds the last one only (see <see cref="StoreRecord.IsKept"/>). Continuations run on other threads than the committer's.
    /// </summary>
    /// <param name="records">The records; without any, this waits for what was committed before.</param>
    /// <param name="cancellationToken">Ends the waiting alone: the records are committed nevertheless.</param>
    /// <returns>The position of each record; that of the record which superseded it, if one did.</returns>
    /// <exception cref="OwnerFencedException">A later owner has the partition. Whether the transaction that ran at that moment took place, only the log can tell.</exception>
    public Task<AppendResult[]> CommitAsync(ReadOnlySpan<StoreRecord> records, CancellationToken cancellationToken = default)
    {
        var (owned, bytes) = Check(records);
        PendingCommit commit = new(owned, bytes);
        lock (_lock)
        {
            if (_ended is not null)
            {
                return Task.FromException<AppendResult[]>(_ended);
            }

            _waiting.Enqueue(commit);
            if (!_isCommitting)
            {
                _isCommitting = true;
                _committing = Task.Run(CommitAllAsync, CancellationToken.None);
            }
        }

        return cancellationToken.CanBeCanceled ? commit.Task.WaitAsync(cancellationToken) : commit.Task;
    }

    /// <summary>Waits for the transaction that runs, if the log can be reached, and gives the partition up. Commits that wait for the next fail.</summary>
    public async ValueTask DisposeAsync()
    {
        End(new ObjectDisposedException(nameof(PartitionStore)));
        try
        {
            await _committing.WaitAsync(ReleaseLimit);
        }
        catch (TimeoutException)
        {
            LogReleased(Partition);
            await _releasing.CancelAsync();
            await _owner.DisposeAsync();

            // It may have been opened again just then.
            await _committing.WaitAsync(ReleaseLimit).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await _owner.DisposeAsync();
    }

    private bool HasEnded
    {
        get
        {
            lock (_lock)
            {
                return _ended is not null;
            }
        }
    }

    private (StoreRecord[] Records, long Bytes) Check(ReadOnlySpan<StoreRecord> records)
    {
        var owned = records.ToArray();
        long bytes = 0;
        foreach (ref var entry in owned.AsSpan())
        {
            var record = entry.Record;
            bytes += record.Key.Length + (record.Value?.Length ?? 0);
            foreach (var header in record.Headers ?? [])
            {
                bytes += header.Name.Length + (header.Value?.Length ?? 0);
            }

            if (_isShared || entry.Topic != Partition.Topic)
            {
                // Throws here, at its cause, when the log does not know the topic.
                ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(record.Partition ?? 0, _log.GetPartitionCount(entry.Topic), nameof(records));
                continue;
            }

            if (record.Partition is { } other && other != Partition.Partition)
            {
                throw new ArgumentException($"A record is for partition {other} of the store's topic: the store of {Partition} writes to its own alone.", nameof(records));
            }

            entry = entry with
            {
                Record = new() { Key = record.Key, Value = record.Value, Headers = record.Headers!, TimestampMilliseconds = record.TimestampMilliseconds, Partition = Partition.Partition },
            };
        }

        return (owned, bytes);
    }

    private async Task CommitAllAsync()
    {
        while (true)
        {
            await SettleAsync();
            if (TakeNext() is not { Count: > 0 } commits)
            {
                return;
            }

            await CommitAsync(commits);
        }
    }

    /// <summary>Waits for the end of the last transaction. Where Kafka has lost it, the owner is opened again at once, because readers wait behind it.</summary>
    private async Task SettleAsync()
    {
        try
        {
            try
            {
                await _owner.SettleAsync();
            }
            catch (OwnerFailedException exception) when (!HasEnded)
            {
                LogReopened(Partition, exception.Message);
                await ReopenAsync();
            }
        }
        catch (OwnerFencedException exception)
        {
            OnFenced(exception);
        }
        catch (Exception) when (HasEnded)
        {
            // Given up: the next owner sees to it.
        }
        catch (Exception exception)
        {
            // The next transaction waits for it, too.
            LogNotSettled(exception, Partition);
        }
    }

    private List<PendingCommit> TakeNext()
    {
        List<PendingCommit> commits = [];
        var (records, bytes) = (0, 0L);
        lock (_lock)
        {
            while (_waiting.TryPeek(out var next)
                && (commits.Count == 0 || (records + next.Records.Length <= MaximumRecords && bytes + next.Bytes <= MaximumBytes)))
            {
                records += next.Records.Length;
                bytes += next.Bytes;
                commits.Add(_waiting.Dequeue());
            }

            _isCommitting = commits.Count > 0;
        }

        return commits;
    }

    private async Task CommitAsync(List<PendingCommit> commits)
    {
        try
        {
            StoreTransaction transaction = new(_isShared ? null : Partition.Topic, commits);
            if (transaction.Records.Count == 0)
            {
                transaction.Complete([]);
                return;
            }

            var results = await AppendAsync(transaction.Records);
            StoreMetrics.CountTransaction(Partition.Topic, commits.Count);
            transaction.Complete(results);
        }
        catch (OwnerFencedException exception)
        {
            FailAll(commits, exception);
            OnFenced(exception);
        }
        catch (Exception) when (commits.Count > 1)
        {
            // Nothing of the group was written. One call's records were refused: the others must not suffer.
            foreach (var commit in commits)
            {
                await CommitAsync([commit]);
            }
        }
        catch (Exception exception)
        {
            FailAll(commits, exception);
        }
    }

    private void OnFenced(OwnerFencedException exception)
    {
        if (End(exception))
        {
            StoreMetrics.CountFencing(Partition.Topic);
            LogFenced(Partition);
        }

        _fenced.TrySetResult();
    }

    private async Task<AppendResult[]> AppendAsync(List<TopicRecord> records)
    {
        while (true)
        {
            try
            {
                var results = await _owner.AppendTransactionAsync(records, CancellationToken.None);
                for (var i = 0; i < results.Length; i++)
                {
                    if (!_isShared && records[i].Topic == Partition.Topic)
                    {
                        _knownEnd = Math.Max(_knownEnd, results[i].Offset + 1);
                    }
                }

                return results;
            }
            catch (OwnerFailedException exception)
            {
                LogReopened(Partition, exception.Message);
                await ReopenAsync();
            }
        }
    }

    /// <summary>Becomes the owner again, and goes on if nobody else was meanwhile: whoever was has written to the partition, or will notice with the first commit.</summary>
    private async Task ReopenAsync()
    {
        await _owner.DisposeAsync();
        _owner = await OpenOwnerAsync();
        if (_isShared)
        {
            // Nothing tells their records from those of a later owner, which is fenced now.
            return;
        }

        var end = (await _log.GetOffsetsAsync([Partition], _releasing.Token))[0].End;
        for (var position = _knownEnd; position < end;)
        {
            var batch = await _log.ReadRangeAsync(Partition.Topic, Partition.Partition, position, maxRecords: 1, _releasing.Token);
            if (batch.Records.Length > 0)
            {
                throw new OwnerFencedException(_ownerName);
            }

            position = batch.To;
        }
    }

    private async Task<ILogOwner> OpenOwnerAsync()
    {
        while (true)
        {
            try
            {
                return await _log.OpenOwnerAsync(_ownerName, _releasing.Token);
            }
            catch (Exception exception) when (exception is not (OwnerFencedException or OperationCanceledException or ObjectDisposedException))
            {
                LogReopened(Partition, exception.Message);
                await Task.Delay(ReopenPause, _releasing.Token);
            }
        }
    }

    /// <returns>Whether it had not ended before.</returns>
    private bool End(Exception reason)
    {
        Queue<PendingCommit> waiting;
        bool isFirst;
        lock (_lock)
        {
            isFirst = _ended is null;
            _ended ??= reason;
            (waiting, _waiting) = (_waiting, new());
        }

        FailAll(waiting, reason);
        return isFirst;
    }

    private static void FailAll(IEnumerable<PendingCommit> commits, Exception reason)
    {
        foreach (var commit in commits)
        {
            commit.TrySetException(reason);
        }
    }

    [LoggerMessage(LogLevel.Information, "Opened {Partition}: {Count} entries in {Milliseconds} ms")]
    private partial void LogOpened(TopicPartitionId partition, int count, long milliseconds);

    [LoggerMessage(LogLevel.Warning, "{Partition} has a later owner: nothing is committed here any more")]
    private partial void LogFenced(TopicPartitionId partition);

    [LoggerMessage(LogLevel.Warning, "Opening {Partition} again: {Reason}")]
    private partial void LogReopened(TopicPartitionId partition, string reason);

    [LoggerMessage(LogLevel.Error, "Whether the last transaction of {Partition} has ended is not known")]
    private partial void LogNotSettled(Exception exception, TopicPartitionId partition);

    [LoggerMessage(LogLevel.Warning, "{Partition} is given up with a transaction whose outcome is unknown: the log is out of reach")]
    private partial void LogReleased(TopicPartitionId partition);
}
