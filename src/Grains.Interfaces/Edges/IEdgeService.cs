using Orleans.Services;

namespace OrleansMqtt;

/// <summary>The edge of a silo: takes what is meant for the connections that it holds.</summary>
public interface IEdgeService : IGrainService
{
    /// <summary>
    /// Takes a batch for its connections. Only enqueues; within a connection the order of the batches of one owner is kept. Deliveries for connections that are gone are
    /// dropped: the owner hears of the end of a connection by <see cref="IClientSessionGrain.Disconnect"/>.
    /// </summary>
    ValueTask<DeliveryResult> Deliver([Immutable] DeliveryBatch batch);

    /// <summary>
    /// Closes a connection because its client identifier is used by a later one (DISCONNECT 0x8E for MQTT 5), and returns when none of its publishes is on its way to the log,
    /// and none of its acknowledgements to the session, any more. Does nothing when it is gone.
    /// </summary>
    /// <returns>How the connection had ended by itself before; null when this ended it, or it is gone.</returns>
    ValueTask<DisconnectNotice?> CloseTakenOver(long connectionId);

    /// <summary>
    /// Hands the connections of a session partition over to its new owner, which says so by its generation: nothing of an earlier owner is taken any more, and acknowledgements are
    /// for the new one. Their sockets stay, and they do not notice. Connections whose CONNECT is not answered yet are among them.
    /// </summary>
    /// <returns>The connections; null when a still later owner has asked.</returns>
    ValueTask<HandedOverConnection[]?> HandOver(int sessionPartition, long generation);
}
