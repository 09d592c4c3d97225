namespace OrleansMqtt.Edge.Protocol;

/// <summary>
/// What this server can do: the one place that decides what CONNACK announces and what is refused. A feature that is not there is never pretended.
/// </summary>
internal sealed record ServerFeatures
{
    public static ServerFeatures Current { get; } = new();

    /// <summary>QoS 2 both ways.</summary>
    public bool QoS2 { get; init; }

    /// <summary>Retained messages.</summary>
    public bool Retain { get; init; }

    /// <summary>Shared subscriptions.</summary>
    public bool SharedSubscriptions { get; init; }

    /// <summary>Subscription identifiers.</summary>
    public bool SubscriptionIdentifiers { get; init; }

    /// <summary>Sessions that outlive their connection.</summary>
    public bool StoredSessions { get; init; }

    /// <summary>Wills.</summary>
    public bool Wills { get; init; }

    /// <summary>The greatest QoS served.</summary>
    public byte MaximumQoS => QoS2 ? (byte)2 : (byte)1;
}
