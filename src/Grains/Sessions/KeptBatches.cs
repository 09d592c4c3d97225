namespace OrleansMqtt.Grains;

/// <summary>
/// What a router sends while its target reads an earlier stretch from the log: one stretch without gaps, so that the target need not read that from the log too, which under load
/// would never end. Bounded: with more, the earlier ones are forgotten, and are read from the log.
/// </summary>
internal sealed class KeptBatches
{
    /// <summary>The most messages that are kept.</summary>
    public const int MaximumMessages = 16_384;

    /// <summary>The most bytes of payload that are kept.</summary>
    public const long MaximumBytes = 16 << 20;

    private readonly Queue<RoutedBatch> _batches = [];
    private int _messages;
    private long _bytes;
    private long _to;

    /// <summary>Where it begins; null when there is none.</summary>
    public long? From => _batches.TryPeek(out var first) ? first.From : null;

    /// <summary>Keeps a batch.</summary>
    public void Add(RoutedBatch batch)
    {
        if (_batches.Count > 0 && batch.To <= _to)
        {
            // It came a second time.
            return;
        }

        if (batch.From > _to)
        {
            Clear();
        }

        _batches.Enqueue(batch);
        _to = batch.To;
        _messages += batch.Messages.Count;
        _bytes += BytesOf(batch);
        while (_batches.Count > 1 && (_messages > MaximumMessages || _bytes > MaximumBytes))
        {
            Take();
        }
    }

    /// <summary>Takes the first batch that goes beyond a position and leaves no gap to it; null when there is none.</summary>
    public RoutedBatch? TakeAt(long position)
    {
        while (_batches.TryPeek(out var first) && first.From <= position)
        {
            Take();
            if (first.To > position)
            {
                return first;
            }
        }

        return null;
    }

    private static long BytesOf(RoutedBatch batch)
    {
        long bytes = 0;
        foreach (var message in batch.Messages.AsSpan())
        {
            bytes += message.Payload.Length;
        }

        return bytes;
    }

    private void Take()
    {
        var batch = _batches.Dequeue();
        _messages -= batch.Messages.Count;
        _bytes -= BytesOf(batch);
    }

    private void Clear()
    {
        _batches.Clear();
        (_messages, _bytes, _to) = (0, 0, 0);
    }
}
