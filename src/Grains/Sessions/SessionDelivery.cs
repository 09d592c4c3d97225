using Microsoft.Extensions.Logging;
using OrleansMqtt.Log;

namespace OrleansMqtt.Grains;

/// <summary>
/// Matches messages to the sessions of a partition and sends what their windows allow; the rest waits in mailboxes as references, and is read back from the log when a window
/// opens. Used inside the turns of the partition's grain only.
/// </summary>
internal sealed partial class SessionDelivery(IMessageLog log, MessageDecoder decoder, SessionsOptions options, int sessionPartition, ILogger logger)
{
    private const int LoadRecords = 512;
    private readonly TopicFilterTree<FilterSubscribers> _filters = new();
    private readonly List<FilterSubscribers> _matches = [];
    private readonly List<Session> _matchedSessions = [];
    private readonly Dictionary<SiloAddress, EdgeOutbox> _edges = [];
    private RouterLink[] _links = [];
    private long _stamp;

    /// <summary>The filters that some session is subscribed to.</summary>
    public TopicFilterTree<FilterSubscribers> Filters => _filters;

    public IDictionary<SiloAddress, EdgeOutbox> Edges => _edges;

    public void Start(RouterLink[] links) => _links = links;

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

    /// <summary>Sends what was put together in this turn.</summary>
    public void Flush()
    {
        foreach (var edge in _edges.Values)
        {
            edge.Flush();
        }
    }

    /// <summary>Delivers what was held until the start of its subscription was known.</summary>
    public void DeliverHeld(SessionSubscription subscription, int link, MqttMessage message)
    {
        if (!subscription.Session.IsEnded)
        {
            Deliver(subscription.Session, Math.Min(message.QoS, subscription.MaximumQoS), _links[link], message);
        }
    }

    /// <summary>Sends what waits in a session's mailbox, as far as its window allows.</summary>
    public void Pump(Session session)
    {
        while (!session.IsEnded && session.Mailbox.Count > 0 && session.Window.IsOpen && !session.Edge.IsCongested)
        {
            var reference = session.Mailbox.Peek();
            var link = _links[reference.Link];
            var message = link.Recent.Find(reference.Offset) ?? link.Loaded.Find(reference.Offset);
            if (message is not null)
            {
                session.Mailbox.Dequeue();
                Send(session, reference, message);
            }
            else if (link.Loaded.Covers(reference.Offset))
            {
                session.Mailbox.Dequeue();
                GrainInstruments.Dropped.Add(1, GrainInstruments.Removed);
            }
            else
            {
                RequestLoad(session, link);
                return;
            }
        }
    }

    /// <summary>Sends what waits for the sessions of an edge that takes deliveries again.</summary>
    public void Pump(EdgeOutbox edge, IEnumerable<Session> sessions)
    {
        foreach (var session in sessions)
        {
            if (session.Edge == edge && !session.IsLoading)
            {
                Pump(session);
            }
        }

        edge.Flush();
    }

    private void Deliver(RouterLink link, MqttMessage message)
    {
        _matches.Clear();
        _filters.Match(message.Topic, _matches);
        switch (_matches.Count)
        {
            case 0:
                return;
            case 1:
                foreach (var subscription in _matches[0].Subscriptions)
                {
                    if (Matches(subscription, link, message))
                    {
                        Deliver(subscription.Session, Math.Min(message.QoS, subscription.MaximumQoS), link, message);
                    }
                }

                return;
        }

        // Overlapping filters of one session make one delivery, with the greatest QoS among them ([MQTT-3.3.4-2]).
        _stamp++;
        _matchedSessions.Clear();
        foreach (var subscribers in _matches)
        {
            foreach (var subscription in subscribers.Subscriptions)
            {
                if (!Matches(subscription, link, message))
                {
                    continue;
                }

                var session = subscription.Session;
                if (session.MatchStamp != _stamp)
                {
                    (session.MatchStamp, session.MatchQoS) = (_stamp, subscription.MaximumQoS);
                    _matchedSessions.Add(session);
                }
                else
                {
                    session.MatchQoS = Math.Max(session.MatchQoS, subscription.MaximumQoS);
                }
            }
        }

        foreach (var session in _matchedSessions)
        {
            Deliver(session, Math.Min(message.QoS, session.MatchQoS), link, message);
        }
    }

    private static bool Matches(SessionSubscription subscription, RouterLink link, MqttMessage message)
    {
        if (subscription.NoLocal && message.PublisherClientId == subscription.Session.ClientId)
        {
            return false;
        }

        if (subscription.Start is not { } start)
        {
            return true;
        }

        if (!start.IsKnown)
        {
            start.Hold(subscription, link.Index, message);
            return false;
        }

        return start.Includes(link.Index, message.Offset);
    }

    private void Deliver(Session session, byte qos, RouterLink link, MqttMessage message)
    {
        if (qos == 0)
        {
            if (session.Edge.IsCongested)
            {
                GrainInstruments.Dropped.Add(1, GrainInstruments.ConnectionSlow);
                return;
            }

            session.Edge.Add(session.ConnectionId, message, packetId: 0, qos: 0);
            return;
        }

        MessageReference reference = new(message.Offset, (ushort)link.Index, qos);
        if (session.Mailbox.Count == 0 && session.Window.IsOpen && !session.Edge.IsCongested)
        {
            Send(session, reference, message);
            return;
        }

        if (session.Mailbox.Count >= options.MaximumQueuedMessages)
        {
            GrainInstruments.Dropped.Add(1, GrainInstruments.MailboxFull);
            if (!session.HasDropped)
            {
                session.HasDropped = true;
                LogMailboxFull(session.ClientId, session.Mailbox.Count);
            }

            return;
        }

        session.Mailbox.Enqueue(reference);
        link.Recent.Add(message);
        GrainInstruments.Queued.Add(1);
    }

    private static void Send(Session session, MessageReference reference, MqttMessage message)
    {
        var packetId = session.Window.Add(reference, message.Payload.Length);
        session.Edge.Add(session.ConnectionId, message, packetId, reference.QoS);
    }

    private void RequestLoad(Session session, RouterLink link)
    {
        if (!session.IsLoading)
        {
            session.IsLoading = true;
            link.Waiting.Add(session);
        }

        if (!link.IsLoading)
        {
            Load(link).Ignore();
        }
    }

    private async Task Load(RouterLink link)
    {
        link.IsLoading = true;
        while (link.Waiting.Count > 0)
        {
            var from = long.MaxValue;
            foreach (var session in link.Waiting)
            {
                from = session.IsEnded ? from : Math.Min(from, session.Mailbox.Peek().Offset);
            }

            if (from != long.MaxValue)
            {
                link.Loaded = await Read(link, from);
            }

            Session[] sessions = [.. link.Waiting];
            link.Waiting.Clear();
            foreach (var session in sessions)
            {
                session.IsLoading = false;
                Pump(session);
            }

            Flush();
        }

        link.IsLoading = false;
        link.Loaded = LoadedStretch.Empty;
    }

    private async Task<LoadedStretch> Read(RouterLink link, long from)
    {
        while (true)
        {
            try
            {
                var batch = await log.ReadRangeAsync(link.Source.Topic, link.Source.Partition, from, LoadRecords, CancellationToken.None);
                if (batch.To > from)
                {
                    return new(from, batch.To, decoder.Decode(batch));
                }

                await Task.Delay(10);
            }
            catch (OffsetOutOfRangeException exception)
            {
                LogRemoved(sessionPartition, link.Source, from, exception.Available.Start);
                return new(from, Math.Max(from + 1, exception.Available.Start), []);
            }
            catch (Exception exception)
            {
                LogReadFailed(exception, sessionPartition, link.Source, from);
                await Task.Delay(200);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The mailbox of client {ClientId} is full with {Count} messages: newer ones are dropped")]
    private partial void LogMailboxFull(string clientId, int count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Messages {From} to {Start} of {Source} were removed by retention before clients of session partition {SessionPartition} got them")]
    private partial void LogRemoved(int sessionPartition, TopicPartitionId source, long from, long start);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Session partition {SessionPartition} could not read {Source} at {Offset}; it tries again")]
    private partial void LogReadFailed(Exception exception, int sessionPartition, TopicPartitionId source, long offset);
}
