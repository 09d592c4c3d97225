using Microsoft.Extensions.Logging;

namespace OrleansMqtt.Grains;

/// <summary>
/// Matches messages to the sessions of a partition and has those sent that their windows allow; the rest waits in mailboxes as references. Used inside the turns of the
/// partition's grain only.
/// </summary>
internal sealed partial class SessionDelivery(
    SubscriptionTable subscriptions, IdentifierSets identifierSets, SessionSender sender, RouterLink[] links, SessionStore store, SessionsOptions options, ILogger logger)
{
    private readonly List<FilterSubscribers> _matches = [];
    private readonly List<Session> _matchedSessions = [];
    private long _stamp;

    /// <summary>Delivers the messages of a stretch, in order.</summary>
    public void Deliver(RouterLink link, ReadOnlySpan<MqttMessage> messages)
    {
        foreach (var message in messages)
        {
            if (message.Offset >= link.Position)
            {
                Deliver(link, message);
            }
        }
    }

    /// <summary>Delivers what was held until the start of its subscription was known.</summary>
    public void DeliverHeld(HeldMessage held)
    {
        if (!held.Session.IsEnded)
        {
            Deliver(held.Session, Math.Min(held.Message.QoS, held.MaximumQoS), held.Retain, links[held.Link], held.Message, held.Identifiers);
        }
    }

    private void Deliver(RouterLink link, MqttMessage message)
    {
        _matches.Clear();
        subscriptions.Match(message.Topic, _matches);
        if (_matches.Count == 0)
        {
            return;
        }

        // Overlapping filters of one session make one delivery, with the greatest QoS among them and all their identifiers ([MQTT-3.3.4-2], [MQTT-3.3.4-4]).
        _stamp++;
        _matchedSessions.Clear();
        foreach (var subscribers in _matches)
        {
            foreach (var subscription in subscribers.Subscriptions)
            {
                Match(subscription, link, message);
            }
        }

        foreach (var session in _matchedSessions)
        {
            if (session.MatchStart is { } start)
            {
                session.MatchStart = null;
                start.Hold(new(session, session.MatchQoS, session.MatchRetain, link.Index, message, session.MatchIdentifiers));
            }
            else
            {
                Deliver(session, Math.Min(message.QoS, session.MatchQoS), session.MatchRetain, link, message, session.MatchIdentifiers);
            }
        }
    }

    private void Match(SessionSubscription subscription, RouterLink link, MqttMessage message)
    {
        var session = subscription.Session;
        if (!subscription.Wants(link.Index, message, out var asked))
        {
            return;
        }

        var start = subscription.Start is { IsKnown: false } unknown ? unknown : null;
        var retain = message.Retain && asked.RetainAsPublished;
        if (message.Retain && start is null)
        {
            subscription.Cursor?.NoteNewer(message.Topic);
        }

        // A subscription of which it is not known yet whether it counts adds nothing to those that do: the message came before its SUBACK. Alone, it holds the message.
        var isFirst = session.MatchStamp != _stamp;
        if (isFirst || (session.MatchStart is not null && start is null))
        {
            (session.MatchStamp, session.MatchQoS, session.MatchRetain, session.MatchStart) = (_stamp, asked.MaximumQoS, retain, start);
            session.MatchIdentifiers = identifierSets.Add(null, asked.Identifier);
            if (isFirst)
            {
                _matchedSessions.Add(session);
            }
        }
        else if (session.MatchStart is not null || start is null)
        {
            session.MatchQoS = Math.Max(session.MatchQoS, asked.MaximumQoS);
            session.MatchRetain |= retain;
            session.MatchIdentifiers = identifierSets.Add(session.MatchIdentifiers, asked.Identifier);
        }
    }

    private void Deliver(Session session, byte qos, bool retain, RouterLink link, MqttMessage message, int[]? identifiers)
    {
        if (session.MatchedBefore is { } matched && message.Offset < matched[link.Index])
        {
            // An earlier owner of the partition has delivered it, or put it into the mailbox.
            return;
        }

        if (session.Taken is { } taken ? taken.Includes(link.Index, qos, message.Offset) : qos == 0 && message.Offset < link.RecoveredTo)
        {
            return;
        }

        if (qos == 0)
        {

            if (session.Group is { } sharing)
            {
                sharing.TryGive(link.Index, message);
            }
            else if (session.Edge is { } edge)
            {
                SessionSender.SendUnstored(session, edge, message, identifiers, store.NumberOf(link), retain);
            }

            return;
        }

        MessageReference reference = new(message.Offset, (ushort)link.Index, qos, retain);
        store.MarkDirty(session);
        if (session.Group?.TryLease(reference, message) == true)
        {
            return;
        }

        if (session.Mailbox.Count == 0 && session.Window.IsOpen && session.IsReady)
        {
            sender.Send(session, reference, message, identifiers);
            return;
        }

        var maximum = session.Group is null ? options.MaximumQueuedMessages : options.MaximumQueuedSharedMessages;
        if (session.Mailbox.Count >= maximum)
        {
            Overflow(session);
            if (session.Mailbox.Count >= maximum)
            {
                return;
            }
        }

        session.Mailbox.Enqueue(reference);
        store.MarkDirty(session);
        if (session.Edge is not null || session.Group is { HasConnected: true })
        {
            link.Recent.Add(message);
        }

        GrainInstruments.Queued.Add(1);
    }

    private void Overflow(Session session)
    {
        GrainInstruments.Dropped.Add(1, GrainInstruments.MailboxFull);
        if (!session.HasDropped)
        {
            session.HasDropped = true;
            LogMailboxFull(session.ClientId, session.Mailbox.Count, options.Overflow);
        }

        if (options.Overflow == MailboxOverflow.DropOldest && session.Mailbox.Count > 0)
        {
            session.Mailbox.Dequeue();
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The mailbox of client {ClientId} is full with {Count} messages: {Overflow}")]
    private partial void LogMailboxFull(string clientId, int count, MailboxOverflow overflow);
}
