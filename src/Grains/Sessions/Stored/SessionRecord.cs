namespace OrleansMqtt.Grains;

/// <summary>
/// A client's session as it is stored: the state of <see cref="ClientSessionGrain"/>. What is delivered to it is stored beside it (<see cref="DeliveryRecord"/>), because it
/// changes much more often.
/// </summary>
internal sealed class SessionRecord
{
    /// <summary>Session Expiry Interval in seconds; 0 ends it with its connection, <see cref="uint.MaxValue"/> never.</summary>
    public uint ExpirySeconds { get; set; }

    /// <summary>The last connection.</summary>
    public ConnectionEpoch Epoch { get; set; }

    /// <summary>The silo of the edge that holds the connection, as text; null while the client is not connected.</summary>
    public string? Edge { get; set; }

    /// <summary>The connection's number at its edge.</summary>
    public long ConnectionId { get; set; }

    /// <summary>Whether the session began with this connection.</summary>
    public bool IsFirstConnection { get; set; }

    /// <summary>When the connection ended, in milliseconds since the Unix epoch; counts while there is none.</summary>
    public long DisconnectedAt { get; set; }

    /// <summary>The will that has not been published; null when there is none, or it was cancelled.</summary>
    public WillMessage? Will { get; set; }

    public List<StoredSubscription> Subscriptions { get; set; } = [];

    public bool IsConnected => Edge is not null;

    /// <summary>Whether it names a connection, by its edge and its number there, as the living one.</summary>
    public bool IsConnectedBy(SiloAddress edge, long connectionId) => ConnectionId == connectionId && Edge == edge.ToParsableString();

    /// <summary>When the session ends, in milliseconds since the Unix epoch; <see cref="long.MaxValue"/> when never. Only while the client is not connected.</summary>
    public long ExpiresAt => ExpirySeconds == uint.MaxValue ? long.MaxValue : DisconnectedAt + (ExpirySeconds * 1000L);

    /// <summary>When the will is due: after its delay, or when the session ends, whichever is first ([MQTT-3.1.2-8]). Only while the client is not connected.</summary>
    public long WillDueAt => Will is null ? long.MaxValue : Math.Min(DisconnectedAt + (Will.DelaySeconds * 1000L), ExpiresAt);

    /// <summary>When something is to be done for a session without a connection.</summary>
    public long DueAt => Math.Min(WillDueAt, ExpiresAt);
}
