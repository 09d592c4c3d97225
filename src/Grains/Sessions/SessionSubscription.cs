namespace OrleansMqtt.Grains;

/// <summary>A session's subscription to a filter.</summary>
internal sealed class SessionSubscription(Session session, FilterSubscribers subscribers)
{
    public Session Session { get; } = session;

    public FilterSubscribers Subscribers { get; } = subscribers;

    /// <summary>Its place in <see cref="Subscribers"/>.</summary>
    public int Index { get; set; }

    public SubscriptionOptions Options { get; set; }

    /// <summary>From which offsets on it counts.</summary>
    public SubscriptionStart? Start { get; set; }

    /// <summary>From which offsets on its present options count; null when it was never changed. Before them the earlier ones do.</summary>
    public SubscriptionStart? Changed { get; private set; }

    public SubscriptionOptions EarlierOptions { get; private set; }

    public void Change(SubscriptionOptions options, SubscriptionStart start)
    {
        (EarlierOptions, Changed) = (Options, start);
        Options = options;
    }

    /// <summary>Set while retained messages are sent to it.</summary>
    public RetainedCursor? Cursor { get; set; }

    /// <summary>The options for a message.</summary>
    public SubscriptionOptions OptionsAt(int link, long offset) => Changed is null || (Changed.IsKnown && Changed.Includes(link, offset)) ? Options : EarlierOptions;

    /// <summary>Whether it is for a message, by its options and, once that is known, by where it counts from.</summary>
    public bool Wants(int link, MqttMessage message, out SubscriptionOptions asked)
    {
        asked = OptionsAt(link, message.Offset);
        return !(asked.NoLocal && message.PublisherClientId == Session.ClientId) && (Start is not { IsKnown: true } start || start.Includes(link, message.Offset));
    }
}
