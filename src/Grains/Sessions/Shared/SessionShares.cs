namespace OrleansMqtt.Grains;

/// <summary>A session's part in groups of shared subscriptions: its memberships, and the messages that it has from them.</summary>
internal sealed class SessionShares
{
    private readonly Dictionary<string, Membership> _memberships = new(1, StringComparer.Ordinal);
    private readonly Queue<WaitingLease> _waiting = [];
    private readonly Dictionary<ushort, HeldLease> _held = [];
    private List<HeldLease>? _storing;
    private bool _isTurn;

    public IReadOnlyCollection<Membership> Memberships => _memberships.Values;

    /// <summary>Whether the stored memberships are not these.</summary>
    public bool HasChanged { get; set; }

    /// <summary>Whether a record of them is stored.</summary>
    public bool HasRecord { get; set; }

    public bool HasWaiting => _waiting.Count > 0;

    public Membership? Find(string group) => _memberships.GetValueOrDefault(group);

    public void Add(Membership membership)
    {
        _memberships.Add(membership.Group, membership);
        HasChanged = true;
    }

    public void Remove(Membership membership)
    {
        _memberships.Remove(membership.Group);
        HasChanged = true;
    }

    public void Wait(in WaitingLease lease) => _waiting.Enqueue(lease);

    /// <summary>Whether a leased message is next; it takes turns with the mailbox, so that neither starves.</summary>
    public bool IsNext(bool hasMailbox)
    {
        _isTurn = !_isTurn || !hasMailbox;
        return _waiting.Count > 0 && _isTurn;
    }

    public WaitingLease TakeNext() => _waiting.Dequeue();

    /// <summary>A leased message has got its packet identifier.</summary>
    public HeldLease Hold(ushort packetId, in WaitingLease lease)
    {
        HeldLease held = new(lease.Membership, lease.Number, lease.Reference.QoS);
        _held[packetId] = held;
        if (held.QoS == 2)
        {
            lease.Membership.LastTaken = lease.Number;
            HasChanged = true;
        }

        return held;
    }

    /// <summary>The message counts as the session's own when what is stored next is durable.</summary>
    public void TakeWhenStored(HeldLease lease) => (_storing ??= []).Add(lease);

    /// <summary>What the commit that begins now makes the session's own; null when nothing.</summary>
    public List<HeldLease>? TakeStoring()
    {
        var storing = _storing;
        _storing = null;
        return storing;
    }

    /// <summary>Whether a message in flight is the group's: it is not stored with the session.</summary>
    public bool IsLeased(ushort packetId) => _held.TryGetValue(packetId, out var lease) && lease.QoS == 1;

    /// <summary>Whether a message in flight is one of a shared subscription, and the identifiers that it has then.</summary>
    public bool IsShared(ushort packetId, MqttMessage message, out int[]? identifiers)
    {
        var membership = _held.TryGetValue(packetId, out var lease) ? lease.Membership : OnlyMatch(message.Topic);
        identifiers = membership?.Identifiers;
        return membership is not null;
    }

    /// <summary>The delivery of a message has ended; false when it is not leased.</summary>
    public bool TryEnd(ushort packetId)
    {
        if (!_held.Remove(packetId, out var lease))
        {
            return false;
        }

        End(lease);
        return lease.QoS == 1;
    }

    /// <summary>The connection is gone: what the client may not have seen goes to other members. A message of QoS 2 that was sent stays with the session ([MQTT-4.8.2-4]).</summary>
    public void Disconnect(InflightWindow window)
    {
        // In the order in which they came; what waits came last.
        foreach (var (packetId, lease) in _held.OrderBy(held => held.Value.Number).ToList())
        {
            if (lease.QoS == 1)
            {
                window.Remove(packetId);
                _held.Remove(packetId);
                lease.Membership.End(lease.Number, LeaseEndKind.GivenBack);
            }
            else
            {
                End(lease);
            }
        }

        while (_waiting.TryDequeue(out var waiting))
        {
            waiting.Membership.End(waiting.Number, LeaseEndKind.GivenBack);
        }
    }

    /// <summary>What was sent for a membership becomes the session's own, and what was not goes back.</summary>
    /// <returns>The leases of QoS 1 that the session has taken over.</returns>
    public List<HeldLease> Leave(Membership membership)
    {
        for (var left = _waiting.Count; left > 0; left--)
        {
            var waiting = _waiting.Dequeue();
            if (waiting.Membership == membership)
            {
                membership.End(waiting.Number, LeaseEndKind.GivenBack);
            }
            else
            {
                _waiting.Enqueue(waiting);
            }
        }

        List<HeldLease> kept = [];
        foreach (var (packetId, lease) in _held)
        {
            if (lease.Membership == membership)
            {
                _held.Remove(packetId);
                if (lease.QoS == 1)
                {
                    kept.Add(lease);
                }
                else
                {
                    End(lease);
                }
            }
        }

        return kept;
    }

    /// <summary>
    /// Of which subscription a message was is not stored: after a new owner of the partition it is the shared one that matches, if the session has no other.
    /// </summary>
    private Membership? OnlyMatch(string topic)
    {
        if (_memberships.Count != 1 || _memberships.Values.First() is not { Session.Subscriptions.Count: 0 } only)
        {
            return null;
        }

        return TopicFilter.Matches(SharedFilter.TopicFilterOf(only.Group), topic) ? only : null;
    }

    /// <summary>Room of the member is free again; for a message that is being stored that is said later, after it is the session's own.</summary>
    private static void End(HeldLease lease)
    {
        if (lease.IsOver)
        {
            return;
        }

        lease.IsOver = true;
        if (lease.QoS == 1 || lease.IsTaken)
        {
            lease.Membership.End(lease.Number, LeaseEndKind.Ended);
        }
    }
}
