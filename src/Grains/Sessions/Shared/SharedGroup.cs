namespace OrleansMqtt.Grains;

/// <summary>
/// A shared subscription: decides which member gets which message. Its messages wait, as a session's, in the mailbox of a <see cref="Session"/> that no client has, and are
/// leased to connected members that have room. Used inside the turns of the partition's grain only.
/// </summary>
internal sealed class SharedGroup(string name, Session session, ISharedGroupDispatch dispatch)
{
    private readonly Dictionary<string, GroupMember> _members = new(StringComparer.Ordinal);
    private readonly List<GroupMember> _connected = [];
    private readonly MemberQueue _queue = new();
    private readonly LeaseList _leases = new();

    // What members gave back goes before what waits in the mailbox.
    private readonly Queue<MessageReference> _returned = [];
    private readonly List<DoubtfulLease> _doubtful = [];
    private int _nextConnected;
    private int _durable;
    private int _leasedSince;
    private int _waitingThen;
    private bool _isBehind;

    /// <summary>The whole filter of the subscription.</summary>
    public string Name => name;

    /// <summary>Its mailbox and its subscription.</summary>
    public Session Session => session;

    /// <summary>Completes when the routers know its filter.</summary>
    public Task Started { get; set; } = Task.CompletedTask;

    /// <summary>From where on it counts; null until that is known.</summary>
    public SourceOffset[]? Starts { get; set; }

    /// <summary>Whether something has happened to it in this turn.</summary>
    public bool IsTouched { get; set; }

    public bool IsEmpty => _members.Count == 0;

    public bool HasConnected => _connected.Count > 0;

    /// <summary>Whether the session of a member outlives its connection: the group is stored then.</summary>
    public bool HasDurable => _durable > 0;

    /// <summary>
    /// Whether its mailbox fills up: publishers should be slower, if members could take more. What waits since the members were away is no reason, until it grows, or takes half of the
    /// mailbox: the rest is for what comes until they are slower.
    /// </summary>
    public bool IsFilling { get; private set; }

    /// <summary>Messages that were given back and wait for another member.</summary>
    public int Returned => _returned.Count;

    public GroupMember? Find(string clientId, long number) => _members.GetValueOrDefault(clientId) is { } member && member.Number == number ? member : null;

    /// <summary>Leases a message that has just come to a member; false when it has to wait.</summary>
    public bool TryLease(MessageReference reference, MqttMessage message)
    {
        if (_returned.Count > 0 || session.Mailbox.Count > 0 || session.IsLoading || _queue.Next is not { } member)
        {
            return false;
        }

        Lease(member, reference, message);
        return true;
    }

    /// <summary>Gives a message of QoS 0 to a member; false when none is connected.</summary>
    public bool TryGive(int link, MqttMessage message)
    {
        if (_connected.Count == 0)
        {
            return false;
        }

        if (_queue.Next is { } member)
        {
            _queue.Served(member);
        }
        else
        {
            _nextConnected = (_nextConnected + 1) % _connected.Count;
            member = _connected[_nextConnected];
        }

        dispatch.Offer(member, link, message);
        return true;
    }

    /// <summary>Leases what waits, as far as members have room.</summary>
    public void Pump()
    {
        if (session.IsEnded || session.IsLoading || !OfferDoubtful())
        {
            return;
        }

        while (_queue.Next is { } member && _returned.Count + session.Mailbox.Count > 0)
        {
            var reference = _returned.TryPeek(out var returned) ? returned : session.Mailbox.Peek();
            if (!dispatch.Find(session, reference, out var message))
            {
                return;
            }

            if (!_returned.TryDequeue(out _))
            {
                session.Mailbox.Dequeue();
            }

            dispatch.MarkDirty(this);
            if (message is not null)
            {
                Lease(member, reference, message);
            }
        }
    }

    /// <summary>Takes what a member is like now.</summary>
    public void Apply(MemberChange change, int partition)
    {
        var member = _members.GetValueOrDefault(change.ClientId);
        if (change.HasLeft || (member is not null && member.Number > change.Number))
        {
            if (member is not null && member.Number == change.Number)
            {
                Remove(member);
            }

            return;
        }

        if (member is not null && member.Number != change.Number)
        {
            Remove(member);
            member = null;
        }

        if (member is null)
        {
            member = new(change.ClientId, partition, change.Number);
            _members.Add(change.ClientId, member);
        }

        member.IsConfirmed = true;
        SetConnected(member, change.IsConnected);
        _durable += (change.IsDurable ? 1 : 0) - (member.IsDurable ? 1 : 0);
        member.Update(change);
        _queue.Update(member);
        dispatch.MarkDirty(this);
    }

    /// <summary>The lease is over.</summary>
    public void End(GroupLease lease)
    {
        _leases.Remove(lease);
        dispatch.Forget(lease);
        var member = lease.Member;
        member.Leases--;
        member.Bytes -= lease.Bytes;
        _queue.Update(member);
        dispatch.MarkDirty(this);
    }

    /// <summary>The message goes to another member.</summary>
    public void TakeBack(GroupLease lease)
    {
        End(lease);
        if (!lease.IsTaken)
        {
            _returned.Enqueue(lease.Reference);
            GrainInstruments.GivenBack.Add(1);
        }
    }

    /// <summary>The member's connection is not the one that the message was offered to: it gets nothing until it tells of another.</summary>
    public void Refuse(GroupLease lease, ConnectionEpoch epoch)
    {
        var member = lease.Member;
        if (member.Epoch == epoch)
        {
            SetConnected(member, false);
            member.Disconnect();
        }

        TakeBack(lease);
    }

    /// <summary>The member's session answers for the message.</summary>
    public void HandOver(GroupLease lease)
    {
        lease.IsTaken = true;
        dispatch.MarkDirty(this);
    }

    /// <summary>The owner of a partition of members is another one, and knows no lease. What it has of members follows.</summary>
    public void LoseLeases(int partition)
    {
        foreach (var lease in _leases.All)
        {
            if (lease.Member.Partition == partition)
            {
                if (lease is { QoS: 2, IsTaken: false })
                {
                    _doubtful.Add(new(lease.Number, lease.Member.ClientId, lease.Member.Number, lease.Reference));
                    End(lease);
                }
                else if (lease.QoS == 0)
                {
                    End(lease);
                }
                else
                {
                    TakeBack(lease);
                }
            }
        }

        OrderDoubtful();
        foreach (var member in _members.Values)
        {
            if (member.Partition == partition)
            {
                member.IsConfirmed = false;
                SetConnected(member, false);
                member.Disconnect();
                _queue.Update(member);
            }
        }
    }

    /// <summary>All members of a partition are known: those that were not named are none any more, and what only they could have got ends with them ([MQTT-4.8.2-5]).</summary>
    public void SettleMembers(int partition, Func<string, int> partitionOf)
    {
        foreach (var member in _members.Values.Where(member => member.Partition == partition && !member.IsConfirmed).ToList())
        {
            Remove(member);
        }

        if (_doubtful.RemoveAll(lease => partitionOf(lease.ClientId) == partition && Find(lease.ClientId, lease.Member) is null) > 0)
        {
            dispatch.MarkDirty(this);
        }
    }

    /// <summary>Takes what is stored: messages that were leased at QoS 1 wait again.</summary>
    public void Load(IEnumerable<MessageReference> returned, IEnumerable<DoubtfulLease> doubtful)
    {
        foreach (var reference in returned)
        {
            _returned.Enqueue(reference);
        }

        _doubtful.AddRange(doubtful);
        OrderDoubtful();
    }

    /// <summary>What has to be stored beside the mailbox: a delivery of QoS 0 is over before it begins, so that it can't happen twice.</summary>
    public (List<MessageReference> Waiting, List<DoubtfulLease> Open) Snapshot()
    {
        List<MessageReference> waiting = [];
        List<DoubtfulLease> open = [.. _doubtful];
        foreach (var lease in _leases.All)
        {
            if (lease.QoS == 1)
            {
                waiting.Add(lease.Reference);
            }
            else if (lease is { QoS: 2, IsTaken: false })
            {
                open.Add(new(lease.Number, lease.Member.ClientId, lease.Member.Number, lease.Reference));
            }
        }

        waiting.AddRange(_returned);
        return (waiting, open);
    }

    /// <summary>The group is over, with all that it has.</summary>
    public void Dissolve()
    {
        session.IsEnded = true;
        foreach (var lease in _leases.All)
        {
            dispatch.Forget(lease);
        }
    }

    private void Lease(GroupMember member, MessageReference reference, MqttMessage message) =>
        Lease(member, reference, message, dispatch.NextLeaseNumber(), Math.Min(reference.QoS, member.MaximumQoS), isRepeated: false);

    private void Lease(GroupMember member, MessageReference reference, MqttMessage message, long number, byte qos, bool isRepeated)
    {
        GroupLease lease = new(number, this, member, reference, qos, message.Payload.Length) { IsRepeated = isRepeated };
        _leases.Add(lease);
        NoteWaiting();
        member.Leases++;
        member.Bytes += lease.Bytes;
        _queue.Served(member);
        dispatch.Offer(lease, message);
    }

    private void NoteWaiting()
    {
        var (waiting, maximum) = (session.Mailbox.Count, dispatch.MaximumQueued);
        if (++_leasedSince > maximum / 64)
        {
            _isBehind |= waiting > _waitingThen && waiting > maximum / 16;
            (_waitingThen, _leasedSince) = (waiting, 0);
        }

        _isBehind &= waiting > maximum / 32;
        IsFilling = _isBehind || waiting > maximum / 2;
    }

    /// <summary>A member knows the last lease that it has taken: offered after a later one, an earlier one would count as taken.</summary>
    private void OrderDoubtful() => _doubtful.Sort(static (one, other) => one.Number.CompareTo(other.Number));

    /// <returns>False when a message has to be read first.</returns>
    private bool OfferDoubtful()
    {
        for (var i = 0; i < _doubtful.Count;)
        {
            var (number, clientId, memberNumber, reference) = _doubtful[i];
            if (Find(clientId, memberNumber) is not { IsConnected: true } member)
            {
                i++;
                continue;
            }

            if (!dispatch.Find(session, reference, out var message))
            {
                return false;
            }

            _doubtful.RemoveAt(i);
            dispatch.MarkDirty(this);
            if (message is not null)
            {
                Lease(member, reference, message, number, qos: 2, isRepeated: true);
            }
        }

        return true;
    }

    private void Remove(GroupMember member)
    {
        _members.Remove(member.ClientId);
        _durable -= member.IsDurable ? 1 : 0;
        SetConnected(member, false);
        member.Disconnect();
        _queue.Update(member);
        dispatch.MarkDirty(this);
    }

    private void SetConnected(GroupMember member, bool isConnected)
    {
        if (member.IsConnected && !isConnected)
        {
            _connected.Remove(member);
        }
        else if (!member.IsConnected && isConnected)
        {
            // What came while nobody was there tells nothing.
            if (_connected.Count == 0)
            {
                (_isBehind, _waitingThen, _leasedSince) = (false, int.MaxValue, 0);
            }

            _connected.Add(member);
        }
    }
}
