namespace OrleansMqtt.Grains;

/// <summary>
/// The subscription identifiers of a message that is read back from the log for a session. They are not kept with what waits or is in flight: its subscriptions tell them again, for
/// each message with the options that counted then. Used inside the turns of the partition's grain only.
/// </summary>
internal sealed class SessionIdentifiers(SubscriptionTable subscriptions, IdentifierSets sets)
{
    private readonly List<FilterSubscribers> _matches = [];

    /// <summary>The identifiers of all subscriptions of the session that match ([MQTT-3.3.4-3], [MQTT-3.3.4-4]); null when there are none.</summary>
    public int[]? Of(Session session, int link, MqttMessage message)
    {
        if (!session.HasIdentifiers)
        {
            return null;
        }

        int[]? identifiers = null;
        _matches.Clear();
        subscriptions.Match(message.Topic, _matches);
        foreach (var subscribers in _matches)
        {
            if (session.Subscriptions.TryGetValue(subscribers.Filter, out var subscription)
                && subscription.Start is not { IsKnown: false }
                && subscription.Wants(link, message, out var asked))
            {
                identifiers = sets.Add(identifiers, asked.Identifier);
            }
        }

        return identifiers;
    }
}
