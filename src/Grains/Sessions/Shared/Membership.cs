namespace OrleansMqtt.Grains;

/// <summary>A session's membership in a group, as the session's partition keeps it.</summary>
internal sealed class Membership(Session session, string group, long number, GroupLink link)
{
    public Session Session { get; } = session;

    /// <summary>The group: the whole filter.</summary>
    public string Group { get; } = group;

    /// <summary>See <see cref="MemberChange.Number"/>.</summary>
    public long Number { get; } = number;

    /// <summary>The way to the group.</summary>
    public GroupLink Link { get; } = link;

    public required SubscriptionOptions Options
    {
        get;
        set
        {
            field = value;
            Identifiers = value.Identifier == 0 ? null : [value.Identifier];
        }
    }

    /// <summary>The identifier of the subscription, as deliveries have it; null when it has none.</summary>
    public int[]? Identifiers { get; private set; }

    /// <summary>The last lease of QoS 2 that the session has taken; stored with the message.</summary>
    public long LastTaken { get; set; }

    /// <summary>
    /// Whether the number is stored. A session that lasts is no member before that: after a crash it would come with another number, and what it was leased under this one would have
    /// ended with it.
    /// </summary>
    public bool IsStored { get; set; }

    /// <summary>Whether the group may know of it.</summary>
    public bool IsReported { get; set; }

    /// <summary>
    /// Whether the client could have more than the group gives. One that takes few messages at a time always looks so when the group gives it the next, so it does not count.
    /// </summary>
    public bool IsUnderused => WorksAhead && Session.Window.IsOpen && !Session.Shares!.HasWaiting;

    /// <summary>Whether messages wait here for the client, beside those that it has.</summary>
    public bool WorksAhead => !BatchGathering.IsHeldUp(Session.Window.MaximumCount);

    private int Ahead => WorksAhead ? 2 : 1;

    /// <summary>Tells the group that a message of its is not with the session any more, or is the session's own. A client that had all that it takes waits for that.</summary>
    public void End(long lease, LeaseEndKind kind) => Link.End(lease, kind, isAwaited: !WorksAhead && Session.Window.Room <= 1);

    /// <summary>The session has left the group.</summary>
    public bool HasLeft { get; set; }

    /// <summary>
    /// What the group has to know. A client that takes few messages at a time wants its work piece by piece; of the others as much again waits here, so that their windows are filled
    /// without asking the group.
    /// </summary>
    public MemberChange ToChange() => new()
    {
        Group = Group,
        ClientId = Session.ClientId,
        Number = Number,
        HasLeft = HasLeft,
        IsConnected = Session is { Edge: not null, IsStarted: true },
        IsDurable = Session.IsDurable && IsStored,
        MaximumQoS = Options.MaximumQoS,
        Slot = Session.Slot,
        Epoch = Session.Epoch,
        MaximumLeases = Session.Window.MaximumCount * Ahead,
        MaximumBytes = Session.Window.MaximumBytes * Ahead,
    };
}
