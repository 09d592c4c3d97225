using OrleansMqtt.Edge.Publishing;

namespace OrleansMqtt.Edge.Delivering;

/// <summary>
/// Sends runs of this edge's connections to one partition, one batch of whole runs at a time: while one is under way the next builds itself. What waits is bounded by the credits of
/// the connections.
/// </summary>
internal abstract class RunSender<TRun>
    where TRun : InboundRun
{
    /// <summary>The most packets of a call.</summary>
    public const int MaximumBatch = 1000;

    /// <summary>The most bytes of a call, or one run.</summary>
    private const int MaximumBytes = 1024 * 1024;

    private readonly Lock _gate = new();
    private readonly Queue<TRun> _waiting = [];
    private readonly List<TRun> _sending = [];
    private bool _isSending;

    public void Add(TRun run)
    {
        lock (_gate)
        {
            _waiting.Enqueue(run);
            if (_isSending)
            {
                return;
            }

            _isSending = true;
        }

        ThreadPool.UnsafeQueueUserWorkItem(static sender => _ = sender.SendAllAsync(), this, preferLocal: false);
    }

    /// <summary>Sends runs, which have a number of packets together, until they are taken, and settles them.</summary>
    protected abstract Task SendAsync(List<TRun> runs, int count);

    private async Task SendAllAsync()
    {
        while (TakeRuns() is > 0 and var count)
        {
            await SendAsync(_sending, count);
        }
    }

    /// <summary>Takes whole runs; 0, and no longer sending, when none waits.</summary>
    private int TakeRuns()
    {
        var count = 0;
        var bytes = 0L;
        _sending.Clear();
        lock (_gate)
        {
            while (_waiting.TryPeek(out var run) && (count == 0 || (count + run.Count <= MaximumBatch && bytes + run.Bytes <= MaximumBytes)))
            {
                _sending.Add(_waiting.Dequeue());
                count += run.Count;
                bytes += run.Bytes;
            }

            _isSending = count > 0;
        }

        return count;
    }
}
