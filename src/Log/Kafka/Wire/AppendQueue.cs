using System.Diagnostics;
using System.Text;
using Microsoft.Extensions.Logging;

namespace OrleansMqtt.Log.Kafka.Wire;

/// <summary>
/// What was appended to one partition and is not acknowledged, as batches in order. One batch is on its way at a time, whose sequence makes it stored once however often it is sent
/// (KIP-98); the sequence begins anew, in a higher epoch, only here, where nothing else of the partition is on its way (KIP-360).
/// </summary>
internal sealed class AppendQueue(WireAppender appender, TopicPartitionId partition)
{
    private const int LargestBatch = 900_000;
    private const int WorthARequest = 64 * 1024;
    private const int SmallestLimit = 1_024;
    private const int LargestRecord = 90_000_000;
    private readonly object _lock = new();
    private readonly Stack<AppendBatch> _parts = [];
    private readonly Queue<AppendBatch> _full = [];
    private AppendBatch? _current;
    private AppendBatch? _open;
    private int _limit = LargestBatch;
    private int _expectedSize;
    private bool _isScheduled;
    private bool _isClosed;
    private long _producerId = -1;
    private short _epoch;
    private int _sequence;

    public TopicPartitionId Partition { get; } = partition;

    public byte[] TopicBytes { get; } = Encoding.UTF8.GetBytes(partition.Topic);

    /// <summary>A producer id whose epochs are used up here; -1 otherwise.</summary>
    public long UsedUpProducerId { get; private set; } = -1;

    /// <summary>When Kafka said first that the topic does not exist; 0 otherwise. The appender alone uses it.</summary>
    public long UnknownSince { get; set; }

    /// <summary>Whether it holds so much that waiting for more gains nothing.</summary>
    public bool IsLarge
    {
        get
        {
            lock (_lock)
            {
                return _full.Count > 0 || _open is { Size: >= WorthARequest };
            }
        }
    }

    public bool IsEmpty
    {
        get
        {
            lock (_lock)
            {
                return !HasMore && _current is null;
            }
        }
    }

    private bool HasMore => _open is not null || _full.Count > 0 || _parts.Count > 0;

    public void Append(in LogRecord record, IAppendCompletion completion, long state)
    {
        if (SizeOf(record) > LargestRecord)
        {
            Fail(completion, state, AppendResult.Refused($"The record is larger than {LargestRecord} bytes."));
            return;
        }

        var timestamp = record.TimestampMilliseconds != 0 ? record.TimestampMilliseconds : DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        bool isClosed;
        var isFirst = false;
        lock (_lock)
        {
            isClosed = _isClosed;
            if (!isClosed)
            {
                _open ??= Rent();
                if (!_open.TryAppend(record, timestamp, _limit, completion, state))
                {
                    _full.Enqueue(_open);
                    _open = Rent();
                    _open.TryAppend(record, timestamp, _limit, completion, state);
                }

                (isFirst, _isScheduled) = (!_isScheduled, true);
            }
        }

        if (isClosed)
        {
            Fail(completion, state, AppendResult.Failed(WireAppender.ClosedReason));
        }
        else if (isFirst)
        {
            appender.Schedule(this);
        }
    }

    /// <summary>The batch to be sent now, the same one again if its outcome is not known; null when there is none, and then an append schedules the queue again.</summary>
    public AppendBatch? Take(long producerId)
    {
        AppendBatch? batch;
        lock (_lock)
        {
            batch = _current;
            if (batch is null && !_parts.TryPop(out batch) && !_full.TryDequeue(out batch))
            {
                (batch, _open) = (_open, null);
            }

            if (batch is null)
            {
                _isScheduled = false;
                return null;
            }

            _current = batch;
        }

        // Appends do not touch it any more.
        _expectedSize = Math.Min(batch.Size, LargestBatch);
        if (!batch.IsAssigned)
        {
            if (_producerId < 0)
            {
                (_producerId, _epoch, _sequence) = (producerId, 0, 0);
            }

            batch.Assign(_producerId, _epoch, _sequence);
        }

        return batch;
    }

    /// <summary>The batch is stored. Whether there is more to send.</summary>
    public bool Complete(AppendBatch batch, long baseOffset)
    {
        appender.Metrics.CountAppended(Partition.Topic, batch.Count, batch.ContentBytes);
        appender.Metrics.RecordAppend(batch.StartedAt);
        _sequence = batch.Sequence > int.MaxValue - batch.Count ? batch.Sequence - int.MaxValue + batch.Count - 1 : batch.Sequence + batch.Count;
        batch.Complete(Partition.Partition, baseOffset, appender.Logger);
        return End(batch);
    }

    /// <summary>The broker will never take the batch: larger ones are tried again in two parts, so that only the record at fault fails. Whether there is more to send.</summary>
    public bool Refuse(AppendBatch batch, short error, string reason)
    {
        Renew();
        if (WireError.IsOfRecord(error) && batch.Count > 1)
        {
            var (first, second) = (appender.RentBatch(0), appender.RentBatch(0));
            batch.SplitTo(first, second);
            lock (_lock)
            {
                if (error == WireError.MessageTooLarge)
                {
                    _limit = Math.Max(SmallestLimit, Math.Min(_limit, batch.Size / 2));
                }

                _parts.Push(second);
                _parts.Push(first);
            }

            return End(batch);
        }

        Fail(batch, WireError.IsOfRecord(error) ? AppendResult.Refused(reason) : AppendResult.Failed(reason));
        return End(batch);
    }

    /// <summary>The broker expects another sequence: it lost records, or its memory of this producer. The batch was not stored; it begins a new epoch.</summary>
    public void BeginAnew(AppendBatch batch, short error)
    {
        appender.Logger.LogSequenceLost(Partition.ToString(), WireError.NameOf(error));
        Renew();
        batch.Unassign();
    }

    /// <summary>Fails all that waits, for a reason that concerns the whole partition. Nothing of it may be on its way.</summary>
    public void FailAll(string reason, bool close)
    {
        Renew();
        while (true)
        {
            AppendBatch? batch;
            lock (_lock)
            {
                _isClosed |= close;
                batch = _current;
                if (batch is null && !_parts.TryPop(out batch) && !_full.TryDequeue(out batch))
                {
                    (batch, _open) = (_open, null);
                }

                _current = batch;
                if (batch is null)
                {
                    _isScheduled = false;
                    break;
                }
            }

            Fail(batch, AppendResult.Failed(reason));
            lock (_lock)
            {
                // It stays scheduled, so that nobody else takes a batch, until nothing is left.
                _current = null;
            }

            appender.ReturnBatch(batch);
        }
    }

    private static long SizeOf(in LogRecord record)
    {
        var size = (long)record.Key.Length + (record.Value?.Length ?? 0);
        foreach (var header in record.Headers ?? [])
        {
            size += (3L * header.Name.Length) + (header.Value?.Length ?? 0);
        }

        return size;
    }

    private AppendBatch Rent()
    {
        var batch = appender.RentBatch(_expectedSize);
        batch.StartedAt = LogMetrics.MeasuresAppends ? Stopwatch.GetTimestamp() : 0;
        return batch;
    }

    private bool End(AppendBatch batch)
    {
        bool hasMore;
        lock (_lock)
        {
            _current = null;
            _isScheduled = hasMore = HasMore;
        }

        appender.ReturnBatch(batch);
        return hasMore;
    }

    /// <summary>What is not assigned yet starts at 0 in a new epoch: whatever the broker remembers of the old one does not matter.</summary>
    private void Renew()
    {
        UsedUpProducerId = -1;
        if (_epoch == short.MaxValue)
        {
            (UsedUpProducerId, _producerId, _epoch) = (_producerId, -1, -1);
        }

        _epoch++;
        _sequence = 0;
    }

    private void Fail(AppendBatch batch, in AppendResult result)
    {
        for (var i = 0; i < batch.Count; i++)
        {
            appender.Metrics.CountFailed(Partition.Topic);
        }

        batch.Fail(result, appender.Logger);
    }

    private void Fail(IAppendCompletion completion, long state, in AppendResult result)
    {
        appender.Metrics.CountFailed(Partition.Topic);
        completion.OnAppended(state, result);
    }
}
