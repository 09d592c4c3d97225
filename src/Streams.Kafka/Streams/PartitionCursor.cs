namespace OrleansMqtt.Streams.Kafka;

/// <summary>A consumer's place in a <see cref="PartitionQueue"/>.</summary>
internal sealed class PartitionCursor(PartitionQueue queue, long position, bool greets) : IQueueCacheCursor
{
    private LogBatchContainer? _current;
    private bool _greets = greets;

    /// <summary>Where the next batch starts.</summary>
    public long Position { get; private set; } = position;

    /// <summary>What is still needed: a batch that the consumer has not taken may be asked for again.</summary>
    public long Needed => _current is null ? Position : _current.Batch.From;

    public IBatchContainer? GetCurrent(out Exception? exception)
    {
        exception = null;
        return _current;
    }

    public QueueCacheCursorMoveResult MoveNextWithResult() => MoveNext() ? QueueCacheCursorMoveResult.Success : QueueCacheCursorMoveResult.NoData;

    public bool MoveNext()
    {
        var hadCurrent = _current is not null;
        _current = _greets ? queue.CreateGreeting(Position) : queue.Take(Position);
        _greets = false;
        if (_current is not null)
        {
            Position = _current.Batch.To;
        }

        if (hadCurrent)
        {
            queue.OnCursorsChanged();
        }

        return _current is not null;
    }

    public void RecordDeliveryFailure()
    {
        if (_current is not null)
        {
            Position = _current.Batch.From;
            _greets = _current.IsGreeting;
            _current = null;
        }
    }

    public void Refresh(StreamSequenceToken token)
    {
    }

    public void Dispose() => queue.Remove(this);

    /// <summary>Greets the consumer if it has everything up to <paramref name="end"/>.</summary>
    public void GreetAt(long end) => _greets |= Position == end;

    /// <summary>Goes on at an offset that the log holds.</summary>
    public void MoveTo(long position) => Position = position;
}
