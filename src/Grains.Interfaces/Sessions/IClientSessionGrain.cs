
namespace OrleansMqtt;

/// <summary>
/// Decides the life of one client identifier (the key), one step at a time: the only referee of who is connected. Lives with the owner of the client's session partition.
/// </summary>
public interface IClientSessionGrain : IGrainWithStringKey
{
    /// <summary>
    /// Makes the connection the client's living one. Returns after an earlier connection was closed and its publishes are settled, so CONNACK may be sent then
    /// ([MQTT-3.1.4-3]). It may be asked again for the same connection, when no answer has come; the answer is the same.
    /// </summary>
    ValueTask<ConnectResult> Connect([Immutable] ConnectRequest request);

    /// <summary>Adds or replaces subscriptions; they count when it returns: a message published after that is delivered.</summary>
    ValueTask<SubscribeResult> Subscribe(ConnectionEpoch epoch, [Immutable] Subscription[] subscriptions);

    /// <summary>Removes subscriptions; true where there was one.</summary>
    ValueTask<UnsubscribeResult> Unsubscribe(ConnectionEpoch epoch, [Immutable] string[] filters);

    /// <summary>
    /// The connection has ended. Ignored when it is not the living one any more: a takeover that came first has asked its edge how it ended
    /// (<see cref="IEdgeService.CloseTakenOver"/>).
    /// </summary>
    ValueTask Disconnect(ConnectionEpoch epoch, DisconnectNotice notice);

    /// <summary>A <see cref="Connect"/> failed as far as its edge can tell; if it made the connection the living one nevertheless, that ends as a connection that was lost.</summary>
    /// <param name="edge">From <see cref="ConnectRequest.Edge"/>.</param>
    /// <param name="connectionId">From <see cref="ConnectRequest.ConnectionId"/>.</param>
    ValueTask Abandon(SiloAddress edge, long connectionId);
}
