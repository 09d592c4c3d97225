using OrleansMqtt.Edge.Configuration;

namespace OrleansMqtt.Edge.Protocol;

/// <summary>
/// What this server can do of what MQTT leaves open: the one place that decides what CONNACK announces and what is refused. A feature that is not there is never pretended.
/// </summary>
internal sealed record ServerFeatures
{
    /// <summary>The greatest QoS of messages and subscriptions.</summary>
    public byte MaximumQoS { get; init; } = 2;

    /// <summary>Retained messages.</summary>
    public bool Retain { get; init; } = true;

    /// <summary>Filters with wildcards.</summary>
    public bool WildcardSubscriptions { get; init; } = true;

    /// <summary>Shared subscriptions.</summary>
    public bool SharedSubscriptions { get; init; }

    /// <summary>Subscription identifiers.</summary>
    public bool SubscriptionIdentifiers { get; init; } = true;

    /// <summary>The greatest topic alias that a client may use; 0 when it may use none.</summary>
    public ushort TopicAliasMaximum { get; init; }

    public static ServerFeatures Of(EdgeOptions options) => new()
    {
        MaximumQoS = (byte)options.MaximumQoS,
        Retain = options.RetainAvailable,
        WildcardSubscriptions = options.WildcardSubscriptionsAvailable,
        SharedSubscriptions = options.SharedSubscriptionsAvailable,
        SubscriptionIdentifiers = options.SubscriptionIdentifiersAvailable,
        TopicAliasMaximum = (ushort)options.TopicAliasMaximum,
    };
}
