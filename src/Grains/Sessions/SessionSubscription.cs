namespace OrleansMqtt.Grains;

/// <summary>A session's subscription to a filter.</summary>
internal sealed class SessionSubscription(Session session, FilterSubscribers subscribers)
{
    public Session Session { get; } = session;

    public FilterSubscribers Subscribers { get; } = subscribers;

    /// <summary>Its place in <see cref="Subscribers"/>.</summary>
    public int Index { get; set; }

    public byte MaximumQoS { get; set; }

    public bool NoLocal { get; set; }

    /// <summary>From which offsets on it counts.</summary>
    public SubscriptionStart? Start { get; set; }
}
