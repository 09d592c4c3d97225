namespace OrleansMqtt.Grains;

/// <summary>
/// Binds the living connections that edges hand over to their sessions: what the log holds of a session, and what its edge has taken since, make the state that the earlier owner
/// had. Used inside the turns of the partition's grain only.
/// </summary>
internal sealed class HandedOverSessions(SessionTable sessions, SessionLoader loader, SourceNumbers sources, SubscriptionTable subscriptions, SharedMemberships memberships, SessionsOptions options)
{
    /// <summary>Sessions that go on, each with what of it is answered when all are bound.</summary>
    public List<(Session Session, HandedOverConnection Connection)> Continued { get; } = [];

    /// <summary>From where on each link has to be read for sessions that are not stored; <see cref="long.MaxValue"/> where none needs it.</summary>
    public long[] NeededFrom { get; private set; } = [];

    /// <summary>Takes a connection; false when it is not its client's living one: it is to be closed.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="epoch">Its epoch.</param>
    /// <param name="edge">Its edge.</param>
    /// <param name="living">The epoch of the connection that the session's record names; null when there is no record, or it names none.</param>
    public bool TryTake(HandedOverConnection connection, ConnectionEpoch epoch, EdgeOutbox edge, ConnectionEpoch? living)
    {
        var session = sessions.Find(connection.ClientId);
        if (session is { Edge: not null })
        {
            // Two edges have a connection of the client: the later one lives.
            if (epoch < session.Epoch)
            {
                return false;
            }
        }
        else if (session is not null && living != epoch)
        {
            return false;
        }

        if (session is null)
        {
            session = loader.Create(connection.ClientId, sessions, sources);
            sessions.Add(session);
        }

        session.Window.Open(Math.Min(connection.ReceiveMaximum, options.MaximumInflight), options.MaximumInflightBytes);
        TakeDeliveries(session, connection);
        session.Continue(edge, connection.ConnectionId, epoch);
        sessions.Continue(session);
        TakeSubscriptions(session, connection);
        RetainedDelivery.Resume(session);
        Continued.RemoveAll(each => each.Session == session);
        Continued.Add((session, connection));
        return true;
    }

    private void TakeDeliveries(Session session, HandedOverConnection connection)
    {
        TakenOffsets taken = new(sources, connection.Taken, connection.TakenQoS0);
        session.Taken = taken;
        DropTaken(session.Mailbox, taken);
        var stored = session.Window.Clear();
        HashSet<ushort> known = [];
        foreach (var (packetId, source, offset, qos, isRetained, step) in connection.Unacknowledged)
        {
            known.Add(packetId);
            session.Window.LoadSent(packetId, ReferenceOf(source, offset, qos, isRetained, packetId, stored), step == DeliveryStep.Released);
        }

        foreach (var (packetId, message) in stored)
        {
            // Without an answer to its CONNECT the client has acknowledged nothing.
            if (!known.Contains(packetId) && (connection.Epoch is null || IsUnsent(session, message, taken)))
            {
                session.Window.Load(packetId, message.Reference, message.IsReleased);
            }
        }

        if (connection.LastPacketId != 0)
        {
            session.Window.LastPacketId = connection.LastPacketId;
        }
    }

    /// <summary>Whether what the log has in flight, and the edge does not, has never reached it: else the client has acknowledged it.</summary>
    private bool IsUnsent(Session session, InflightMessage message, TakenOffsets taken)
    {
        if (session.IsDurable && message.Reference.QoS == 2)
        {
            // A PUBREC is stored before its PUBREL, so the client has not gone beyond what is stored.
            return true;
        }

        var isInOrder = message.Reference.Link < sources.FirstRetained;
        return isInOrder ? !taken.Includes(message.Reference.Link, message.Reference.QoS, message.Reference.Offset) : message.Reference.QoS == 1;
    }

    private MessageReference ReferenceOf(
        int source, long offset, byte qos, bool isRetained, ushort packetId, (ushort PacketId, InflightMessage Message)[] stored)
    {
        if (source == Delivery.NoSource)
        {
            var known = Array.Find(stored, each => each.PacketId == packetId);
            return known.PacketId == packetId ? known.Message.Reference : new(0, ushort.MaxValue, qos);
        }

        var link = sources.LinkOf(source >= 0 ? source : ~source, offset);
        return new(offset, link >= 0 ? (ushort)link : ushort.MaxValue, qos, isRetained);
    }

    /// <summary>References leave a mailbox in order: all up to the last one that was taken have left it.</summary>
    private void DropTaken(Mailbox mailbox, TakenOffsets taken)
    {
        var (count, index) = (0, 0);
        foreach (var reference in mailbox.All)
        {
            index++;
            if (reference.Link >= sources.FirstRetained)
            {
                continue;
            }

            if (!taken.Includes(reference.Link, reference.QoS, reference.Offset))
            {
                break;
            }

            count = index;
        }

        for (; count > 0; count--)
        {
            mailbox.Dequeue();
        }
    }

    private void TakeSubscriptions(Session session, HandedOverConnection connection)
    {
        foreach (var (subscription, starts) in connection.Subscriptions)
        {
            if (SharedFilter.IsShared(subscription.Filter))
            {
                memberships.Load(session, subscription, []);
                continue;
            }

            SubscriptionStart start = new(sources.ByLink(starts));
            subscriptions.Set(session, subscription, start);
            Need(start);
        }
    }

    private void Need(SubscriptionStart start)
    {
        if (NeededFrom.Length == 0)
        {
            NeededFrom = [.. Enumerable.Repeat(long.MaxValue, sources.FirstRetained)];
        }

        for (var link = 0; link < NeededFrom.Length; link++)
        {
            NeededFrom[link] = Math.Min(NeededFrom[link], start.From(link));
        }
    }
}
