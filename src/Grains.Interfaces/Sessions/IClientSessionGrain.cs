using Orleans.Concurrency;

namespace OrleansMqtt;

/// <summary>
/// Decides the life of one client identifier (the key), one step at a time: the only referee of who is connected. Lives with the owner of the client's session partition.
/// </summary>
public interface IClientSessionGrain : IGrainWithStringKey
{
    /// <summary>
    /// Makes the connection the client's living one. Returns after an earlier connection was closed and its publishes are settled, so CONNACK may be sent then
    /// ([MQTT-3.1.4-3]).
    /// </summary>
    ValueTask<ConnectResult> Connect([Immutable] ConnectRequest request);

    /// <summary>Adds or replaces subscriptions; they count when it returns: a message published after that is delivered.</summary>
    ValueTask<SubscribeResult> Subscribe(ConnectionEpoch epoch, [Immutable] Subscription[] subscriptions);

    /// <summary>Removes subscriptions; true where there was one.</summary>
    ValueTask<UnsubscribeResult> Unsubscribe(ConnectionEpoch epoch, [Immutable] string[] filters);

    /// <summary>The connection has ended. Interleaves, so that a takeover that waits for the connection's end does not wait for itself. Ignored when it is not the living one any more.</summary>
    [AlwaysInterleave]
    ValueTask Disconnect(ConnectionEpoch epoch, DisconnectNotice notice);
}
