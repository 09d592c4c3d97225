using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using Orleans.Runtime;

namespace OrleansMqtt.Edge;

/// <summary>The edge of this silo, as the grains see it.</summary>
[Reentrant]
internal sealed class EdgeService(GrainId grainId, Silo silo, ILoggerFactory loggerFactory, EdgeContext context)
    : GrainService(grainId, silo, loggerFactory), IEdgeService
{
    /// <inheritdoc/>
    public ValueTask<DeliveryResult> Deliver(DeliveryBatch batch) => new(context.Deliveries.Deliver(batch));

    /// <inheritdoc/>
    public ValueTask<DisconnectNotice?> CloseTakenOver(long connectionId)
        => context.Connections.Find(connectionId) is { } connection ? new(connection.CloseTakenOverAsync()) : default;

    /// <inheritdoc/>
    public ValueTask<HandedOverConnection[]?> HandOver(int sessionPartition, long generation) => new(context.Deliveries.HandOver(sessionPartition, generation));
}
