using Microsoft.Extensions.Logging;
using OrleansMqtt.Edge.Diagnostics;
using OrleansMqtt.Edge.Publishing;

namespace OrleansMqtt.Edge.Delivering;

/// <summary>
/// Sends the QoS 2 messages and PUBRELs of this edge's stored sessions to one session partition. What fails is sent again: the partition knows the packet identifiers, so nothing is
/// stored twice.
/// </summary>
internal sealed class InboundQoS2Sender(IEdgeGrains grains, int partition, Func<long> generation, TimeProvider time, ILogger logger) : RunSender<SessionRun>
{
    private readonly ISessionPartitionGrain _grain = grains.GetSessionPartition(partition);
    private long _sequence;

    protected override async Task SendAsync(List<SessionRun> runs, int count)
    {
        // A new array each time: a batch that was handed over must not change.
        var items = new InboundQoS2[count];
        var next = 0;
        foreach (var run in runs)
        {
            run.TakeItems(items.AsSpan(next, run.Count));
            next += run.Count;
        }

        var outcomes = await SendAsync(items);
        next = 0;
        foreach (var run in runs)
        {
            run.Settle(outcomes.AsSpan(next, run.Count));
            next += run.Count;
        }
    }

    private async Task<InboundQoS2Outcome[]> SendAsync(InboundQoS2[] items)
    {
        var isFirst = true;
        for (var pause = RetryPause.Shortest; ; (pause, isFirst) = (RetryPause.After(pause), false))
        {
            try
            {
                var known = Math.Max(generation(), items.Max(static item => item.Epoch.Generation));
                var outcomes = await _grain.PublishQoS2(new() { Edge = grains.Edge, Sequence = ++_sequence, Generation = known, Items = items });
                if (outcomes.Length != items.Length)
                {
                    throw new InvalidOperationException($"{items.Length} packets have {outcomes.Length} outcomes.");
                }

                if (!isFirst)
                {
                    // An attempt before was stored, and its answer was lost.
                    outcomes.AsSpan().Replace(InboundQoS2Outcome.NotFound, InboundQoS2Outcome.Done);
                }

                return outcomes;
            }
            catch (Exception exception)
            {
                logger.PublishQoS2Failed(partition, exception.Message);
            }

            await Task.Delay(pause, time);
        }
    }
}
