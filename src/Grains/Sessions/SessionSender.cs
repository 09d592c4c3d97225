using Microsoft.Extensions.Logging;
using OrleansMqtt.Log;
using OrleansMqtt.Storage.Kafka;

namespace OrleansMqtt.Grains;

/// <summary>
/// Sends to the connections of a partition's sessions what their windows allow, in order: what was in flight before, then what waits in the mailbox, read back from the log as it
/// is needed. What has to be durable before it is sent waits for its commit. Used inside the turns of the partition's grain only.
/// </summary>
internal sealed partial class SessionSender(
    StoredMessages stored, StoredCopies copies, MessageSource[] sources, SourceNumbers numbers, SessionStore store, SessionIdentifiers identifiers, int sessionPartition, ILogger logger)
{
    private readonly Dictionary<SiloAddress, EdgeOutbox> _edges = [];
    private List<GatheredDelivery> _gathered = [];

    /// <summary>The edges that hold connections of the partition's sessions.</summary>
    public IDictionary<SiloAddress, EdgeOutbox> Edges => _edges;

    /// <summary>Called when a session that has retained messages to come may take more.</summary>
    public Action<Session>? RetainedWanted { get; set; }

    /// <summary>Called when what was put together in a turn is sent.</summary>
    public Action? Flushed { get; set; }

    /// <summary>Sends what was put together in this turn; what has to be durable first follows when it is.</summary>
    public void Flush()
    {
        if (_gathered.Count > 0)
        {
            var gathered = _gathered;
            _gathered = [];
            SendWhenStored(gathered).Ignore();
        }

        foreach (var edge in _edges.Values)
        {
            edge.Flush();
        }

        Flushed?.Invoke();
    }

    /// <summary>
    /// Sends what was in flight before the connection began, in the order in which it was sent then ([MQTT-4.4.0-1]), and what waits in the mailbox, as far as the window allows.
    /// </summary>
    public void Pump(Session session)
    {
        if (session.Group is { } group)
        {
            group.Pump();
            return;
        }

        while (!session.IsEnded && session.IsStarted && !session.IsLoading && !session.IsCommitting && session.Edge is { IsCongested: false })
        {
            if (session.Resend.TryPeek(out var packetId))
            {
                if (!TrySendAgain(session, packetId))
                {
                    return;
                }

                session.Resend.Dequeue();
            }
            else if (!session.Window.IsOpen)
            {
                break;
            }
            else if (session.Shares is { HasWaiting: true } shares && shares.IsNext(session.Mailbox.Count > 0))
            {
                SendLeased(session, shares, shares.TakeNext());
            }
            else if (session.Mailbox.Count == 0 || !TrySendNext(session))
            {
                break;
            }
        }

        if (session.Retained is not null)
        {
            RetainedWanted?.Invoke(session);
        }
    }

    /// <summary>Takes an acknowledgement of a client.</summary>
    public void Acknowledge(Session session, in Acknowledgement acknowledgement)
    {
        var packetId = acknowledgement.PacketId;
        var inflight = session.Window.Find(packetId);
        var isEnd = acknowledgement.Kind switch
        {
            AcknowledgementKind.PubAck => inflight is { Reference.QoS: 1 },
            AcknowledgementKind.NotSent => inflight is { IsReleased: false },
            AcknowledgementKind.PubComp => inflight is { IsReleased: true },
            _ => inflight is { Reference.QoS: 2, IsReleased: false } && acknowledgement.ReasonCode >= 0x80,
        };
        if (isEnd)
        {
            session.Window.Remove(packetId);
            session.Copies?.End(packetId);
            if (session.Shares?.TryEnd(packetId) != true)
            {
                store.MarkDirty(session);
            }

            Pump(session);
        }
        else if (acknowledgement.Kind == AcknowledgementKind.PubRec && acknowledgement.ReasonCode < 0x80)
        {
            Release(session, packetId, inflight);
        }
    }

    /// <summary>Sends what waits for the sessions of an edge that takes deliveries again.</summary>
    public void Pump(EdgeOutbox edge, IEnumerable<Session> sessions)
    {
        foreach (var session in sessions)
        {
            if (session.Edge == edge)
            {
                Pump(session);
            }
        }

        Flush();
    }

    /// <summary>Sends a message now; the session is ready for it.</summary>
    public void Send(Session session, MessageReference reference, MqttMessage message, int[]? subscriptionIdentifiers)
    {
        var packetId = session.Window.Add(reference, message.Payload.Length);
        if (reference.Link >= numbers.FirstRetained && SessionStore.IsStored(session))
        {
            (session.Copies ??= new()).Add(packetId, reference, message);
        }

        store.MarkDirty(session);
        SendOrGather(session, message, packetId, reference.QoS, isDuplicate: false, mustBeStored: reference.QoS == 2, NumberOf(reference), subscriptionIdentifiers, reference.Retain);
    }

    /// <summary>Sends a message at QoS 0, which is dropped where it can't be sent at once.</summary>
    public static void SendUnstored(Session session, EdgeOutbox edge, MqttMessage message, int[]? subscriptionIdentifiers, int source, bool isRetained)
    {
        if (edge.IsCongested)
        {
            GrainInstruments.Dropped.Add(1, GrainInstruments.ConnectionSlow);
        }
        else
        {
            edge.Add(session.ConnectionId, message, packetId: 0, qos: 0, isDuplicate: false, subscriptionIdentifiers, source, isRetained);
        }
    }

    /// <summary>Sends a message that the session has from a shared subscription. At QoS 2 it is the session's own from then on: nobody else may get it.</summary>
    private void SendLeased(Session session, SessionShares shares, in WaitingLease lease)
    {
        var qos = lease.Reference.QoS;
        var packetId = session.Window.Add(lease.Reference, lease.Message.Payload.Length);
        var held = shares.Hold(packetId, lease);
        SendOrGather(session, lease.Message, packetId, qos, isDuplicate: false, mustBeStored: qos == 2, OutOfOrder(lease.Reference), lease.Membership.Identifiers, lease.Reference.Retain);
        if (qos == 2)
        {
            store.MarkDirty(session);
            if (session.IsGathering)
            {
                shares.TakeWhenStored(held);
            }
            else
            {
                held.Take();
            }
        }
    }

    /// <summary>
    /// A reference and its packet identifier are durable before a QoS 2 PUBLISH, and a PUBREC before its PUBREL. What comes after such a packet for the same session waits with it.
    /// </summary>
    private void SendOrGather(
        Session session, MqttMessage? message, ushort packetId, byte qos, bool isDuplicate, bool mustBeStored, int source, int[]? subscriptionIdentifiers = null,
        bool isRetained = false)
    {
        if (session.IsGathering || (mustBeStored && session.IsDurable))
        {
            session.IsGathering = true;
            _gathered.Add(new(session, session.Epoch, message, packetId, qos, isDuplicate, subscriptionIdentifiers, source, isRetained));
        }
        else
        {
            SendNow(session, message, packetId, qos, isDuplicate, subscriptionIdentifiers, source, isRetained);
        }
    }

    private static void SendNow(
        Session session, MqttMessage? message, ushort packetId, byte qos, bool isDuplicate, int[]? subscriptionIdentifiers, int source, bool isRetained = false)
    {
        if (message is not null)
        {
            session.Edge!.Add(session.ConnectionId, message, packetId, qos, isDuplicate, subscriptionIdentifiers, source, isRetained);
        }
        else
        {
            session.Edge!.AddRelease(session.ConnectionId, packetId, qos);
        }
    }

    private async Task SendWhenStored(List<GatheredDelivery> gathered)
    {
        List<StoreRecord> records = [];
        List<HeldLease> taken = [];
        List<Session> sessions = [.. gathered.Select(static delivery => delivery.Session).Where(static session => session.IsGathering).Distinct()];
        foreach (var session in sessions)
        {
            session.IsGathering = false;
            session.Commits++;
        }

        try
        {
            foreach (var session in sessions)
            {
                store.AddSession(session, records);
                taken.AddRange(session.Shares?.TakeStoring() ?? []);
            }

            await store.CommitAsync(records, sessions);
        }
        catch (ObjectDisposedException)
        {
            // The partition moves: these sessions go on there.
            return;
        }
        catch (OwnerFencedException exception)
        {
            // So do these, with the later owner.
            LogNotStored(exception, sessionPartition);
            return;
        }
        catch (Exception exception)
        {
            // What belongs to these sessions cannot be stored now. They go on: what was to be sent now follows when they connect again.
            LogNotStored(exception, sessionPartition);
            foreach (var session in sessions)
            {
                session.Commits--;
                store.NoteRefused(session);
            }

            return;
        }

        foreach (var lease in taken)
        {
            lease.Take();
        }

        foreach (var (session, epoch, message, packetId, qos, isDuplicate, subscriptionIdentifiers, source, isRetained) in gathered)
        {
            if (session.Edge is not null && session.Epoch == epoch)
            {
                SendNow(session, message, packetId, qos, isDuplicate, subscriptionIdentifiers, source, isRetained);
            }
        }

        foreach (var session in sessions)
        {
            session.Commits--;
            Pump(session);
        }

        Flush();
    }

    private void Release(Session session, ushort packetId, InflightMessage? inflight)
    {
        const byte NotFound = 0x92;
        if (inflight is not { Reference.QoS: 2 } message)
        {
            if (session.Edge is null)
            {
                return;
            }

            SendNow(session, null, packetId, NotFound, isDuplicate: false, subscriptionIdentifiers: null, Delivery.NoSource);
            return;
        }

        if (!message.IsReleased)
        {
            session.Window.Release(packetId);
            session.Copies?.End(packetId);
            store.MarkDirty(session);
        }

        if (session.Edge is null)
        {
            // PUBREL goes to the next connection.
            return;
        }

        if (session.IsCommitting)
        {
            // Its own commit, which ends after the one that is under way.
            _gathered.Add(new(session, session.Epoch, null, packetId, 0, IsDuplicate: false, Identifiers: null, Delivery.NoSource));
            session.IsGathering = session.IsDurable;
        }
        else
        {
            SendOrGather(session, null, packetId, 0, isDuplicate: false, mustBeStored: true, Delivery.NoSource);
        }
    }

    private bool TrySendAgain(Session session, ushort packetId)
    {
        if (session.Window.Find(packetId) is not { IsSent: false } inflight)
        {
            return true;
        }

        if (inflight.IsReleased)
        {
            SendOrGather(session, null, packetId, 0, isDuplicate: false, mustBeStored: false, Delivery.NoSource);
            return true;
        }

        if (!session.Window.IsOpen)
        {
            return false;
        }

        if (FindAgain(session, packetId, inflight.Reference, out var message))
        {
            session.Window.SendAgain(packetId, message?.Payload.Length ?? 0);
            if (message is not null)
            {
                var subscriptionIdentifiers = session.Shares is { } shares && shares.IsShared(packetId, message, out var shared)
                    ? shared
                    : identifiers.Of(session, inflight.Reference.Link, message);
                // Of QoS 2 some may be from a shared subscription, out of order.
                var source = inflight.Reference.QoS == 1 ? NumberOf(inflight.Reference) : OutOfOrder(inflight.Reference);
                SendOrGather(
                    session, message, packetId, inflight.Reference.QoS, isDuplicate: true, mustBeStored: false, source, subscriptionIdentifiers, inflight.Reference.Retain);
            }
            else
            {
                session.Window.Remove(packetId);
                session.Shares?.TryEnd(packetId);
                store.MarkDirty(session);
            }

            return true;
        }

        return false;
    }

    private bool TrySendNext(Session session)
    {
        var reference = session.Mailbox.Peek();
        if (!Find(session, reference, out var message))
        {
            return false;
        }

        session.Mailbox.Dequeue();
        store.MarkDirty(session);
        if (message is not null)
        {
            Send(session, reference, message, identifiers.Of(session, reference.Link, message));
        }

        return true;
    }

    /// <summary>See <see cref="Delivery.Source"/>.</summary>
    private int NumberOf(MessageReference reference) => reference.Link >= numbers.OfLinks.Length
        ? Delivery.NoSource
        : reference.Link < numbers.FirstRetained ? numbers.OfLinks[reference.Link] : ~numbers.OfLinks[reference.Link];

    private int OutOfOrder(MessageReference reference)
    {
        var number = NumberOf(reference);
        return number >= 0 ? ~number : number;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Session partition {SessionPartition} could not store deliveries; they are not sent")]
    private partial void LogNotStored(Exception exception, int sessionPartition);
}
