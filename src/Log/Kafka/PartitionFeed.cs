namespace OrleansMqtt.Log.Kafka;

/// <summary>What was read ahead of one partition for its reader: bounded, filled by the consumer's thread, taken by the reader.</summary>
internal sealed class PartitionFeed(TopicPartitionId partition, long offset)
{
    private const int MaximumRecords = 20_000;
    private const long MaximumBytes = 16 << 20;
    private readonly Lock _lock = new();
    private readonly Queue<StoredRecord> _records = new();
    private TaskCompletionSource? _waiter;
    private long _bytes;
    private long _from = offset;
    private long _to = offset;
    private bool _isOutOfRange;

    public TopicPartitionId Partition { get; } = partition;

    /// <summary>Whether the consumer has paused it. The consumer's thread alone uses it.</summary>
    public bool IsPaused { get; set; }

    public long Position
    {
        get
        {
            lock (_lock)
            {
                return _from;
            }
        }
    }

    public bool IsFull
    {
        get
        {
            lock (_lock)
            {
                return _records.Count >= MaximumRecords || _bytes >= MaximumBytes;
            }
        }
    }

    public bool IsHalfEmpty
    {
        get
        {
            lock (_lock)
            {
                return _records.Count <= MaximumRecords / 2 && _bytes <= MaximumBytes / 2;
            }
        }
    }

    /// <summary>Adds records that follow those before, and the offset after them.</summary>
    public void Add(List<StoredRecord> records, long to)
    {
        TaskCompletionSource? waiter;
        lock (_lock)
        {
            foreach (var record in records)
            {
                _records.Enqueue(record);
                _bytes += KafkaRecords.SizeOf(record);
            }

            _to = Math.Max(_to, to);
            waiter = _to > _from ? _waiter : null;
        }

        waiter?.TrySetResult();
    }

    public void SetOutOfRange()
    {
        lock (_lock)
        {
            _isOutOfRange = true;
            _waiter?.TrySetResult();
        }
    }

    /// <summary>Takes what is there; null, and a task that ends when there is something, otherwise.</summary>
    public LogBatch? TryTake(int maximum, out Task? available, out bool isOutOfRange)
    {
        lock (_lock)
        {
            available = null;
            isOutOfRange = _isOutOfRange && _records.Count == 0;
            if (isOutOfRange)
            {
                return null;
            }

            if (_to <= _from)
            {
                _waiter = new(TaskCreationOptions.RunContinuationsAsynchronously);
                available = _waiter.Task;
                return null;
            }

            var records = new StoredRecord[Math.Min(maximum, _records.Count)];
            for (var i = 0; i < records.Length; i++)
            {
                records[i] = _records.Dequeue();
                _bytes -= KafkaRecords.SizeOf(records[i]);
            }

            var from = _from;
            _from = _records.Count == 0 ? _to : records[^1].Offset + 1;
            return new() { Topic = Partition.Topic, Partition = Partition.Partition, From = from, To = _from, Records = records };
        }
    }
}
