using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using Orleans.Runtime;

namespace OrleansMqtt.Grains.Tests;

/// <summary>The edge of a silo whose connections are numbers: notes which of them are closed, and hands none over.</summary>
[Reentrant]
internal sealed class EdgeOfTests(GrainId grainId, Silo silo, ILoggerFactory loggerFactory, ClosedConnections closed, HandOverGate gate) : GrainService(grainId, silo, loggerFactory), IEdgeService
{
    public ValueTask<DeliveryResult> Deliver(DeliveryBatch batch) => new(DeliveryResult.Accepted);

    public ValueTask<DisconnectNotice?> CloseTakenOver(long connectionId)
    {
        closed.Add(connectionId);
        return default;
    }

    public async ValueTask<HandedOverConnection[]?> HandOver(int sessionPartition, long generation)
    {
        await gate.Opened;
        return [];
    }
}
