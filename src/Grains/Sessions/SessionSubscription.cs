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

    /// <summary>From which offsets on its present options count; null when it was never changed. Before them the earlier ones do.</summary>
    public SubscriptionStart? Changed { get; private set; }

    public byte EarlierMaximumQoS { get; private set; }

    public bool EarlierNoLocal { get; private set; }

    public void Change(byte maximumQoS, bool noLocal, SubscriptionStart start)
    {
        (EarlierMaximumQoS, EarlierNoLocal, Changed) = (MaximumQoS, NoLocal, start);
        (MaximumQoS, NoLocal) = (maximumQoS, noLocal);
    }

    /// <summary>The options for a message.</summary>
    public (byte MaximumQoS, bool NoLocal) OptionsAt(int link, long offset) =>
        Changed is null || (Changed.IsKnown && Changed.Includes(link, offset)) ? (MaximumQoS, NoLocal) : (EarlierMaximumQoS, EarlierNoLocal);
}
