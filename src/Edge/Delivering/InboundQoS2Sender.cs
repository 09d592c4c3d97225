using Microsoft.Extensions.Logging;
using OrleansMqtt.Edge.Diagnostics;
using OrleansMqtt.Edge.Publishing;

namespace OrleansMqtt.Edge.Delivering;

/// <summary>
/// Sends the QoS 2 messages and PUBRELs of this edge's stored sessions to one session partition, one call at a time: while one is under way the next batch builds itself.
/// What fails is sent again: the partition knows the packet identifiers, so nothing is stored twice. What waits is bounded by the credits of the connections.
/// </summary>
internal sealed class InboundQoS2Sender(IEdgeGrains grains, int partition, TimeProvider time, ILogger logger)
{
    /// <summary>The most packets of a call.</summary>
    public const int MaximumBatch = 1000;

    /// <summary>The most bytes of a call, or one run.</summary>
    private const int MaximumBytes = 1024 * 1024;

    private readonly ISessionPartitionGrain _grain = grains.GetSessionPartition(partition);
    private readonly Lock _gate = new();
    private readonly Queue<SessionRun> _waiting = [];
    private readonly List<SessionRun> _sending = [];
    private bool _isSending;

    public void Add(SessionRun run)
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

    private async Task SendAllAsync()
    {
        while (TakeBatch() is { } batch)
        {
            var outcomes = await SendAsync(batch);
            var next = 0;
            foreach (var run in _sending)
            {
                run.Settle(outcomes.AsSpan(next, run.Count));
                next += run.Count;
            }
        }
    }

    /// <summary>Makes a batch of whole runs; null, and no longer sending, when none waits.</summary>
    private InboundQoS2Batch? TakeBatch()
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

            if (count == 0)
            {
                _isSending = false;
                return null;
            }
        }

        // A new array each time: a batch that was handed over must not change.
        var items = new InboundQoS2[count];
        var next = 0;
        foreach (var run in _sending)
        {
            run.TakeItems(items.AsSpan(next, run.Count));
            next += run.Count;
        }

        return new InboundQoS2Batch { Items = items };
    }

    private async Task<InboundQoS2Outcome[]> SendAsync(InboundQoS2Batch batch)
    {
        for (var pause = RetryPause.Shortest; ; pause = RetryPause.After(pause))
        {
            try
            {
                var outcomes = await _grain.PublishQoS2(batch);
                return outcomes.Length == batch.Items.Count
                    ? outcomes
                    : throw new InvalidOperationException($"{batch.Items.Count} packets have {outcomes.Length} outcomes.");
            }
            catch (Exception exception)
            {
                logger.PublishQoS2Failed(partition, exception.Message);
            }

            await Task.Delay(pause, time);
        }
    }
}
