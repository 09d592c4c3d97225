using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using Orleans.Runtime;
using OrleansMqtt.Edge.Delivering;

namespace OrleansMqtt.Edge;

/// <summary>The edge of this silo, as the grains see it.</summary>
[Reentrant]
internal sealed class EdgeService(GrainId grainId, Silo silo, ILoggerFactory loggerFactory, EdgeContext context, DeliveryReceiver receiver)
    : GrainService(grainId, silo, loggerFactory), IEdgeService
{
    /// <inheritdoc/>
    public ValueTask<DeliveryResult> Deliver(DeliveryBatch batch) => new(receiver.Deliver(batch));

    /// <inheritdoc/>
    public ValueTask<DisconnectNotice?> CloseTakenOver(long connectionId)
        => context.Connections.Find(connectionId) is { } connection ? new(connection.CloseTakenOverAsync()) : default;

    /// <inheritdoc/>
    public ValueTask CloseEarlier(int sessionPartition, long generation)
    {
        context.Connections.CloseEarlier(sessionPartition, generation);
        return ValueTask.CompletedTask;
    }
}
