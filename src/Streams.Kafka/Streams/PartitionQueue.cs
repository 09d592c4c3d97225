using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using OrleansMqtt.Log;

namespace OrleansMqtt.Streams.Kafka;

/// <summary>
/// The receiver and the cache of one pulling agent, for one partition. It reads what the slowest cursor needs next, and no more than the bounds allow; a cursor that goes
/// back or ahead moves the reader. Used on the agent's scheduler only, so without locks.
/// </summary>
/// <remarks>
/// The agent's own means are not used, as they work by its timer: <see cref="IsUnderPressure"/> never says so, instead the receiver waits until there's room; and it never
/// returns nothing: when no records come it returns a greeting.
/// </remarks>
internal sealed partial class PartitionQueue(
    TopicPartitionId partition, LogStreamOptions options, IMessageLog log, LogStreamMetrics metrics, ILogger<PartitionQueue> logger) : IQueueCache, IQueueAdapterReceiver
{
    private readonly StreamId _streamId = StreamId.Create(options.Namespace, partition.ToString());
    private readonly List<PartitionCursor> _cursors = [];
    private readonly List<LogBatchContainer> _batches = [];
    private readonly SemaphoreSlim _cursorsChanged = new(0, 1);
    private CancellationTokenSource _poll = new();
    private ILogReader? _reader;
    private bool _isReading;
    private bool _isClosed;

    // The cache holds [_start, _end).
    private long _start;
    private long _end;
    private int _records;
    private long _bytes;

    public Task Initialize(TimeSpan timeout) => Task.CompletedTask;

    public async Task Shutdown(TimeSpan timeout)
    {
        if (_reader is not null)
        {
            await _reader.DisposeAsync();
            _reader = null;
        }

        _isClosed = true;
        Clear(_end);
        _poll.Dispose();
        _cursorsChanged.Dispose();
    }

    public Task<IList<IBatchContainer>> GetQueueMessagesAsync(int maxCount) => GetQueueMessagesAsync(maxCount, CancellationToken.None);

    public async Task<IList<IBatchContainer>> GetQueueMessagesAsync(int maxCount, CancellationToken cancellationToken)
    {
        try
        {
            return [await ReadOrGreetAsync(cancellationToken)];
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return [];
        }
    }

    public Task MessagesDeliveredAsync(IList<IBatchContainer> messages) => Task.CompletedTask;

    public int GetMaxAddCount() => 1;

    public bool IsUnderPressure() => false;

    public bool TryPurgeFromCache([MaybeNullWhen(false)] out IList<IBatchContainer> purgedItems)
    {
        purgedItems = null;
        return false;
    }

    public void AddToCache(IList<IBatchContainer> messages)
    {
        foreach (var message in messages)
        {
            var container = (LogBatchContainer)message;
            if (container.IsGreeting)
            {
                _cursors.ForEach(cursor => cursor.GreetAt(_end));
            }
            else
            {
                Debug.Assert(container.Batch.From == _end, "Batches join.");
                _batches.Add(container);
                _end = container.Batch.To;
                _records += container.Batch.Records.Length;
                _bytes += GetSize(container.Batch);
            }
        }
    }

    public IQueueCacheCursor GetCacheCursor(StreamId streamId, StreamSequenceToken? token)
    {
        var cursor = token is LogOffsetToken position ? new PartitionCursor(this, position.Offset, position.IsGreeting) : new PartitionCursor(this, _end, false);
        _cursors.Add(cursor);
        OnCursorsChanged();
        return cursor;
    }

    public void Remove(PartitionCursor cursor)
    {
        _cursors.Remove(cursor);
        OnCursorsChanged();
    }

    public LogBatchContainer CreateGreeting(long position)
        => new(_streamId, new LogBatch { Topic = partition.Topic, Partition = partition.Partition, From = position, To = position, Records = [] });

    /// <summary>What is cached from <paramref name="position"/> on, as one batch within the bound; null when nothing is.</summary>
    public LogBatchContainer? Take(long position)
    {
        if (position < _start || position >= _end)
        {
            return null;
        }

        var first = FindBatch(position);
        var last = first;
        var count = _batches[first].Batch.Records.Length;
        while (last + 1 < _batches.Count && count + _batches[last + 1].Batch.Records.Length <= options.MaxBatchRecords)
        {
            count += _batches[++last].Batch.Records.Length;
        }

        return first == last && _batches[first].Batch.From == position ? _batches[first] : Join(first, last, position);
    }

    public void OnCursorsChanged()
    {
        if (_isClosed)
        {
            return;
        }

        if (!_isReading)
        {
            if (_cursorsChanged.CurrentCount == 0)
            {
                _cursorsChanged.Release();
            }
        }
        else if (_cursors.Count > 0 && MustMove(GetNeeded()))
        {
            _poll.Cancel();
        }
    }

    private async Task<LogBatchContainer> ReadOrGreetAsync(CancellationToken cancellationToken)
    {
        if (_reader is null)
        {
            // The first greeting makes the agent look for the consumers: their tokens then decide where reading starts.
            await OpenAsync(cancellationToken);
            return CreateGreeting(_end);
        }

        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            var remaining = options.MaximumWait - Stopwatch.GetElapsedTime(started);
            if (remaining <= TimeSpan.Zero)
            {
                return CreateGreeting(_end);
            }

            FollowCursors();
            if (_cursors.Count > 0 && _records < options.CacheRecords && _batches.Count < options.CacheBatches && _bytes < options.CacheBytes)
            {
                if (await ReadAsync(remaining, cancellationToken) is { } batch)
                {
                    metrics.AddRecords(partition.Topic, batch.Records.Length);
                    return new(_streamId, batch);
                }
            }
            else
            {
                await _cursorsChanged.WaitAsync(remaining, cancellationToken);
            }
        }
    }

    private async Task OpenAsync(CancellationToken cancellationToken)
    {
        var offsets = await log.GetOffsetsAsync([partition], cancellationToken);
        _start = _end = options.StartAt == LogStreamStart.End ? offsets[0].End : offsets[0].Start;
        _reader = log.OpenReader(partition.Topic, partition.Partition, _end);
    }

    /// <returns>Null when the time was over, a cursor needs another place, or the place is not in the log.</returns>
    private async ValueTask<LogBatch?> ReadAsync(TimeSpan wait, CancellationToken cancellationToken)
    {
        if (!_poll.TryReset())
        {
            _poll.Dispose();
            _poll = new();
        }

        _isReading = true;
        try
        {
            var reading = _reader!.ReadAsync(Math.Min(options.MaxBatchRecords, options.CacheRecords - _records), _poll.Token);
            LogBatch batch;
            if (reading.IsCompletedSuccessfully)
            {
                // Deliveries get their turn between reads.
                batch = reading.Result;
                await Task.Yield();
            }
            else
            {
                _poll.CancelAfter(wait);
                using var _ = cancellationToken.UnsafeRegister(static poll => ((CancellationTokenSource)poll!).Cancel(), _poll);
                batch = await reading;
            }

            return MustMove(GetNeeded()) ? null : batch;
        }
        catch (OperationCanceledException) when (_poll.IsCancellationRequested)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return null;
        }
        catch (OffsetOutOfRangeException exception)
        {
            _isReading = false;
            await SkipAsync(exception, wait, cancellationToken);
            return null;
        }
        finally
        {
            _isReading = false;
        }
    }

    // What is cached is delivered first; then the loss shows as a batch that does not join.
    private async Task SkipAsync(OffsetOutOfRangeException exception, TimeSpan wait, CancellationToken cancellationToken)
    {
        if (_batches.Count > 0)
        {
            await _cursorsChanged.WaitAsync(wait, cancellationToken);
            return;
        }

        var lost = _end;
        var next = Math.Clamp(lost, exception.Available.Start, exception.Available.End);
        if (next != lost)
        {
            LogSkipped(partition, lost, next, exception.Available.Start, exception.Available.End);
            metrics.AddSkippedOffsets(partition.Topic, Math.Abs(next - lost));
        }

        foreach (var cursor in _cursors)
        {
            cursor.MoveTo(Math.Clamp(cursor.Position, exception.Available.Start, exception.Available.End));
        }

        Clear(next);
        _reader!.Seek(next);
    }

    private void FollowCursors()
    {
        if (_cursors.Count == 0)
        {
            return;
        }

        var needed = GetNeeded();
        if (MustMove(needed))
        {
            Clear(needed);
            _reader!.Seek(needed);
            return;
        }

        var done = 0;
        while (done < _batches.Count && _batches[done].Batch.To <= needed)
        {
            _records -= _batches[done].Batch.Records.Length;
            _bytes -= GetSize(_batches[done].Batch);
            _start = _batches[done].Batch.To;
            done++;
        }

        _batches.RemoveRange(0, done);
    }

    private bool MustMove(long needed) => needed < _start || needed > _end;

    private long GetNeeded()
    {
        var needed = long.MaxValue;
        foreach (var cursor in _cursors)
        {
            needed = Math.Min(needed, cursor.Needed);
        }

        return _cursors.Count > 0 ? needed : _end;
    }

    private void Clear(long position)
    {
        _batches.Clear();
        _records = 0;
        _bytes = 0;
        _start = _end = position;
    }

    private int FindBatch(long position)
    {
        var (low, high) = (0, _batches.Count - 1);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = _batches[middle].Batch.To <= position ? (middle + 1, high) : (low, middle);
        }

        return low;
    }

    private LogBatchContainer Join(int first, int last, long from)
    {
        var records = new List<StoredRecord>();
        var head = _batches[first].Batch.Records;
        var skipped = 0;
        while (skipped < head.Length && head[skipped].Offset < from)
        {
            skipped++;
        }

        records.AddRange(head.AsSpan(skipped));
        for (var i = first + 1; i <= last; i++)
        {
            records.AddRange(_batches[i].Batch.Records);
        }

        var to = _batches[last].Batch.To;
        return new(_streamId, new LogBatch { Topic = partition.Topic, Partition = partition.Partition, From = from, To = to, Records = [.. records] });
    }

    private static long GetSize(LogBatch batch)
    {
        long size = 0;
        foreach (var record in batch.Records)
        {
            size += (record.Key?.Length ?? 0) + (record.Value?.Length ?? 0);
            foreach (var header in record.Headers)
            {
                size += header.Name.Length + (header.Value?.Length ?? 0);
            }
        }

        return size;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Partition}: offset {Lost} is not in the log, which holds {Start} to {End}. "
        + "What was there is lost for its consumers, reading goes on at {Next}.")]
    private partial void LogSkipped(TopicPartitionId partition, long lost, long next, long start, long end);
}
