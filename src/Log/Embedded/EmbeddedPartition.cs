namespace OrleansMqtt.Log.Embedded;

/// <summary>What is committed of a partition, its newest batches in memory, and the readers that wait for more.</summary>
internal sealed class EmbeddedPartition(int id, string topic, int number, bool isCompacted, int recentBytes)
{
    private readonly Lock _lock = new();
    private readonly LinkedList<StoredBatch> _recent = [];
    private List<TaskCompletionSource> _waiting = [];
    private long _recentSize;
    private long _recentFrom = -1;
    private long _start;
    private long _end;

    public int Id => id;

    public TopicPartitionId Name { get; } = new(topic, number);

    public bool IsCompacted => isCompacted;

    /// <summary>The offset that the writer gives next. The writer's thread alone uses it.</summary>
    public long Next { get; set; }

    /// <summary>The stored bytes, once they were counted for retention. The writer's thread alone uses it.</summary>
    public long? Size { get; set; }

    public OffsetRange Range
    {
        get
        {
            lock (_lock)
            {
                return new OffsetRange(_start, _end);
            }
        }
    }

    public void Initialize(long start, long end)
    {
        (_start, _end) = (start, end);
        (Next, _recentFrom) = (end, end);
    }

    /// <summary>Shows committed batches to readers and wakes those that wait.</summary>
    public void Publish(IReadOnlyList<StoredBatch> batches)
    {
        List<TaskCompletionSource> woken;
        lock (_lock)
        {
            foreach (var batch in batches)
            {
                _recent.AddLast(batch);
                _recentSize += batch.SizeInMemory;
                _end = batch.To;
            }

            while (_recentSize > recentBytes && _recent.First is { } first)
            {
                _recent.RemoveFirst();
                _recentSize -= first.Value.SizeInMemory;
                _recentFrom = first.Value.To;
            }

            // The empty list stays the one to which others add.
            if (_waiting.Count == 0)
            {
                return;
            }

            (woken, _waiting) = (_waiting, []);
        }

        foreach (var waiting in woken)
        {
            waiting.TrySetResult();
        }
    }

    public void MoveStart(long start)
    {
        lock (_lock)
        {
            _start = Math.Max(_start, start);
        }
    }

    /// <summary>A task that completes when the end lies beyond <paramref name="position"/>.</summary>
    public Task WaitBeyondAsync(long position, CancellationToken cancellationToken)
    {
        TaskCompletionSource waiting;
        lock (_lock)
        {
            if (_end > position)
            {
                return Task.CompletedTask;
            }

            waiting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Add(waiting);
        }

        return cancellationToken.CanBeCanceled ? AwaitAsync(waiting, cancellationToken) : waiting.Task;
    }

    /// <summary>Reads from memory; false when the stretch is only on disk.</summary>
    public bool TryReadRecent(long from, int maxRecords, out LogBatch? batch)
    {
        List<StoredBatch>? found = null;
        lock (_lock)
        {
            batch = null;
            if (from < _recentFrom || from < _start || from >= _end)
            {
                return false;
            }

            var count = 0;
            for (var node = _recent.Last; node is not null && node.Value.To > from; node = node.Previous)
            {
                (found ??= []).Add(node.Value);
            }

            found!.Reverse();
            for (var i = 0; i < found.Count && count < maxRecords; i++)
            {
                count += found[i].Count;
            }
        }

        batch = Collect(from, maxRecords, found, long.MaxValue);
        return true;
    }

    /// <summary>Joins batches to one of at most <paramref name="maxRecords"/> records, that ends at <paramref name="end"/> when it holds all.</summary>
    public LogBatch Collect(long from, int maxRecords, List<StoredBatch> batches, long end)
    {
        var records = new List<StoredRecord>(Math.Min(maxRecords, 1024));
        var isComplete = true;
        foreach (var stored in batches)
        {
            var first = (int)Math.Max(0, from - stored.From);
            var take = Math.Min(stored.Count - first, maxRecords - records.Count);
            records.AddRange(stored.Records.AsSpan(first, take));
            if (first + take < stored.Count)
            {
                isComplete = false;
                break;
            }
        }

        var to = records.Count > 0 ? records[^1].Offset + 1 : from;
        return new LogBatch
        {
            Topic = topic,
            Partition = number,
            From = from,
            To = isComplete && end != long.MaxValue ? Math.Max(to, end) : to,
            Records = [.. records],
        };
    }

    private async Task AwaitAsync(TaskCompletionSource waiting, CancellationToken cancellationToken)
    {
        try
        {
            await waiting.Task.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            lock (_lock)
            {
                _waiting.Remove(waiting);
            }

            throw;
        }
    }
}
