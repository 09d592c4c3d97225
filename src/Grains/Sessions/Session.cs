namespace OrleansMqtt.Grains;

/// <summary>A client's session, as its partition keeps it: with or without a connection.</summary>
internal sealed class Session(string clientId, int slot)
{
    /// <summary>Shared by all sessions that have nothing to send again; nothing is ever put into it.</summary>
    private static readonly Queue<ushort> NothingToResend = new(0);

    private ConnectionEpoch? _seized;

    public string ClientId { get; } = clientId;

    /// <summary>Its place in the table.</summary>
    public int Slot { get; } = slot;

    /// <summary>The living connection's, or the last one's.</summary>
    public ConnectionEpoch Epoch { get; private set; }

    /// <summary>The connection with which it went on from an earlier owner; null when there is none any more.</summary>
    public ConnectionEpoch? ContinuedEpoch { get; set; }

    /// <summary>The edge that holds the connection; null while there is none.</summary>
    public EdgeOutbox? Edge { get; private set; }

    public long ConnectionId { get; private set; }

    /// <summary>The connection whose acknowledgements count: the living one, or the one from which the session was seized, until the next begins.</summary>
    public ConnectionEpoch? Acknowledging => Edge is null ? _seized : Epoch;

    /// <summary>Whether it is stored, and outlives its connection; set by <see cref="SessionStore.SetDurable"/>.</summary>
    public bool IsDurable { get; set; }

    public InflightWindow Window { get; } = new();

    /// <summary>Retained messages in flight; null when it never had one.</summary>
    public InflightCopies? Copies { get; set; }

    public Dictionary<string, SessionSubscription> Subscriptions { get; } = new(0, StringComparer.Ordinal);

    /// <summary>Whether one of the subscriptions has, or had, an identifier.</summary>
    public bool HasIdentifiers { get; set; }

    public Mailbox Mailbox { get; } = new();

    /// <summary>What of retained messages is still to come; null when there is nothing.</summary>
    public RetainedBacklog? Retained { get; set; }

    /// <summary>The group whose messages these are; null for a client's session.</summary>
    public SharedGroup? Group { get; set; }

    /// <summary>Its part in shared subscriptions; null when it never had one.</summary>
    public SessionShares? Shares { get; set; }

    /// <summary>The identifiers of QoS 2 messages that the client published and has not released; null when there are none.</summary>
    public HashSet<ushort>? Received { get; set; }

    /// <summary>What was in flight before the present connection and was not sent on it yet, in order.</summary>
    public Queue<ushort> Resend { get; private set; } = NothingToResend;

    /// <summary>Whether deliveries may begin: the connection is accepted.</summary>
    public bool IsStarted { get; private set; }

    public bool IsEnded { get; set; }

    /// <summary>Whether the next message has to be read from the log, and is.</summary>
    public bool IsLoading { get; set; }

    /// <summary>The offset of the message that it waits for while <see cref="IsLoading"/>.</summary>
    public long WantedOffset { get; set; }

    /// <summary>Whether deliveries wait for a commit that is not begun: what follows joins them, so that order is kept.</summary>
    public bool IsGathering { get; set; }

    /// <summary>Commits under way that its deliveries wait for: what follows stays in the mailbox until all have ended.</summary>
    public int Commits { get; set; }

    public bool IsCommitting => Commits > 0;

    /// <summary>Whether it changed since it was stored.</summary>
    public bool IsDirty { get; set; }

    /// <summary>Whether a delivery record of it is stored.</summary>
    public bool HasDeliveryRecord { get; set; }

    /// <summary>The connection whose will was published.</summary>
    public ConnectionEpoch WillPublished { get; set; }

    /// <summary>Up to where each link was matched before this owner; null when that is passed.</summary>
    public long[]? MatchedBefore { get; set; }

    /// <summary>What its connection has taken from an earlier owner; null when that is passed.</summary>
    public TakenOffsets? Taken { get; set; }

    /// <summary>When its <see cref="ClientSessionGrain"/> has to be asked, in milliseconds since the Unix epoch; 0 when not.</summary>
    public long DueAt { get; set; }

    /// <summary>Whether a message was dropped for it, which is logged once.</summary>
    public bool HasDropped { get; set; }

    /// <summary>The last message that matched it: several filters of a session that match one message make one delivery.</summary>
    public long MatchStamp { get; set; }

    /// <summary>The greatest QoS of the filters that matched.</summary>
    public byte MatchQoS { get; set; }

    /// <summary>Whether one of them keeps the RETAIN flag.</summary>
    public bool MatchRetain { get; set; }

    /// <summary>The identifiers of the subscriptions that matched; null when there are none.</summary>
    public int[]? MatchIdentifiers { get; set; }

    /// <summary>Set while all filters that matched are of a SUBSCRIBE that is under way.</summary>
    public SubscriptionStart? MatchStart { get; set; }

    /// <summary>Whether a message may be sent now, past an empty mailbox.</summary>
    public bool IsReady => Edge is { IsCongested: false } && IsStarted && !IsLoading && !IsCommitting && Resend.Count == 0;

    public void Attach(EdgeOutbox edge, long connectionId, ConnectionEpoch epoch, int maximumInflight, int maximumInflightBytes)
    {
        (Edge, ConnectionId, Epoch, IsStarted) = (edge, connectionId, epoch, false);
        Retained?.Interrupt();
        Window.Open(maximumInflight, maximumInflightBytes);
        Resend = QueueOf(Window.InOrder);
        Taken = null;
    }

    /// <summary>Goes on with a living connection that an earlier owner had; of what is in flight, that was not sent on it yet is sent.</summary>
    public void Continue(EdgeOutbox edge, long connectionId, ConnectionEpoch epoch)
    {
        (Edge, ConnectionId, Epoch, IsStarted) = (edge, connectionId, epoch, true);
        Retained?.Interrupt();
        Resend = QueueOf(Window.InOrder.Where(static entry => !entry.Message.IsSent));
    }

    /// <summary>The connection is accepted; deliveries may begin.</summary>
    public void Start() => IsStarted = true;

    /// <summary>Another connection takes the session: nothing goes to the one that has it any more, and of what comes from there only acknowledgements on their way count.</summary>
    public void Seize(ConnectionEpoch epoch)
    {
        var seized = Epoch;
        Detach(epoch);
        _seized = seized;
    }

    /// <summary>Nothing goes to the connection any more, and nothing that comes from it counts.</summary>
    public void Detach(ConnectionEpoch epoch)
    {
        (Edge, IsStarted, Epoch, _seized) = (null, false, epoch, null);
        Copies?.Release();
    }

    private static Queue<ushort> QueueOf(IEnumerable<(ushort PacketId, InflightMessage Message)> inflight)
    {
        Queue<ushort> packetIds = new(inflight.Select(static entry => entry.PacketId));
        return packetIds.Count == 0 ? NothingToResend : packetIds;
    }
}
