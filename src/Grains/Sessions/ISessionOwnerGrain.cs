using OrleansMqtt.Storage.Kafka;
using OrleansMqtt.Streams.Kafka;

namespace OrleansMqtt.Grains;

/// <summary>What <see cref="ClientSessionGrain"/> asks of the owner of its sessions partition (the key). One client's calls come one after the other.</summary>
internal interface ISessionOwnerGrain : IGrainWithIntegerKey, IPartitionOwnerGrain, IStoragePartition
{
    /// <summary>Makes a session and binds it to a connection, and starts it; null when there is a session already.</summary>
    /// <param name="clientId">The client.</param>
    /// <param name="request">The connection.</param>
    /// <param name="expirySeconds">The Session Expiry Interval that counts.</param>
    ValueTask<ConnectResult?> AttachNew(string clientId, [Immutable] ConnectRequest request, uint expirySeconds);

    /// <summary>Binds the session that there is, if only as a record, to a connection; deliveries wait for <see cref="Start"/>.</summary>
    ValueTask<ConnectResult> Attach(string clientId, [Immutable] ConnectRequest request, uint expirySeconds);

    /// <summary>The connection is accepted: what is in flight is sent again, and what waits follows. False when the owner does not know it: the partition came here meanwhile.</summary>
    ValueTask<bool> Start(string clientId, ConnectionEpoch epoch);

    /// <summary>
    /// Takes the session from the connection that has it: of what comes from there only acknowledgements that are on their way count still. Null when there is none.
    /// </summary>
    ValueTask<LivingConnection?> Seize(string clientId);

    /// <summary>The connection has ended and the session goes on; its grain is asked again when something is due.</summary>
    /// <param name="clientId">The client.</param>
    /// <param name="epoch">The connection.</param>
    /// <param name="edge">The edge that held it, as text.</param>
    /// <param name="dueAt">Milliseconds since the Unix epoch.</param>
    ValueTask Detach(string clientId, ConnectionEpoch epoch, string edge, long dueAt);

    /// <summary>Changes when the grain of a session without a connection is asked.</summary>
    ValueTask SetDue(string clientId, long dueAt);

    /// <summary>Ends a session that is not stored.</summary>
    ValueTask End(string clientId);

    /// <summary>Whether the epoch is that of the living connection.</summary>
    ValueTask<bool> IsLiving(string clientId, ConnectionEpoch epoch);

    /// <summary>What a connection was told, by its edge and its number there, as if its session had been present; null when it is not the living one.</summary>
    ValueTask<ConnectResult?> FindLiving(string clientId, SiloAddress edge, long connectionId);

    /// <summary>Publishes the will of a connection, once, however often it is asked: in one transaction with the mark that says so.</summary>
    ValueTask PublishWill(string clientId, ConnectionEpoch epoch, [Immutable] MqttMessage will);

    /// <summary>See <see cref="IClientSessionGrain.Subscribe"/>; null when the connection is not the living one.</summary>
    ValueTask<SubscribeOutcome?> Subscribe(string clientId, ConnectionEpoch epoch, [Immutable] Subscription[] subscriptions);

    /// <summary>See <see cref="IClientSessionGrain.Unsubscribe"/>.</summary>
    ValueTask<UnsubscribeResult> Unsubscribe(string clientId, ConnectionEpoch epoch, [Immutable] string[] filters);
}
