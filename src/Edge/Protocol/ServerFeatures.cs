namespace OrleansMqtt.Edge.Protocol;

/// <summary>
/// What this server can do of what MQTT leaves open: the one place that decides what CONNACK announces and what is refused. A feature that is not there is never pretended.
/// </summary>
internal sealed record ServerFeatures
{
    public static ServerFeatures Current { get; } = new();

    /// <summary>Retained messages.</summary>
    public bool Retain { get; init; } = true;

    /// <summary>Shared subscriptions.</summary>
    public bool SharedSubscriptions { get; init; }

    /// <summary>Subscription identifiers.</summary>
    public bool SubscriptionIdentifiers { get; init; }
}
