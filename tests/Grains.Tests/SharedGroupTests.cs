using Xunit;

namespace OrleansMqtt.Grains.Tests;

/// <summary>Who of a group gets what.</summary>
public sealed class SharedGroupTests
{
    private readonly Dispatch _dispatch = new();
    private readonly SharedGroup _group;
    private long _offset;

    public SharedGroupTests()
    {
        Session session = new("$share/g/t", slot: -1);
        _group = new(session.ClientId, session, _dispatch);
        session.Group = _group;
    }

    [Fact]
    public void Members_with_equally_many_messages_take_turns()
    {
        Join("a", "b", "c");
        Publish(7);

        Assert.Equal(["a", "b", "c", "a", "b", "c", "a"], _dispatch.Members);
    }

    [Fact]
    public void The_member_that_has_the_fewest_gets_the_next()
    {
        Join("a", "b", "c");
        Publish(6);
        _dispatch.Members.Clear();
        End("b");
        End("b");
        End("c");
        Publish(3);

        Assert.Equal(["b", "b", "c"], _dispatch.Members.Order());
        Assert.Equal("b", _dispatch.Members[0]);
    }

    [Fact]
    public void Each_member_has_at_most_as_many_as_it_takes_and_the_rest_waits_in_order()
    {
        Join("a", maximum: 1);
        Join("b", maximum: 2);
        Publish(5);

        Assert.Equal(["a", "b", "b"], _dispatch.Members);
        Assert.Equal(2, _group.Session.Mailbox.Count);

        End("b");
        _group.Pump();
        Assert.Equal(["a", "b", "b", "b"], _dispatch.Members);
        Assert.Equal([0, 1, 2, 3], _dispatch.Offsets);
        Assert.Equal(4, _group.Session.Mailbox.Peek().Offset);
    }

    [Fact]
    public void A_member_is_bounded_in_bytes_but_gets_one_large_message()
    {
        Join("a", maximumBytes: 100);
        Publish(1, length: 1000);
        Publish(1);
        Assert.Single(_dispatch.Members);

        End("a");
        _group.Pump();
        Assert.Equal(2, _dispatch.Members.Count);
    }

    [Fact]
    public void Nobody_gets_anything_while_all_are_offline_and_then_in_order()
    {
        Apply(new() { Group = _group.Name, ClientId = "a", Number = 1, IsDurable = true });
        Publish(3);
        Assert.Empty(_dispatch.Members);
        Assert.False(_group.TryGive(0, Message(99)));

        Join("a");
        _group.Pump();
        Assert.Equal([0, 1, 2], _dispatch.Offsets);
    }

    [Fact]
    public void What_a_member_gives_back_goes_to_another_before_what_is_newer()
    {
        Join("a", maximum: 2);
        Join("b", maximum: 1);
        Publish(5);
        var given = _dispatch.Leases.Where(lease => lease.Member.ClientId == "a").ToList();
        Apply(new() { Group = _group.Name, ClientId = "a", Number = 1, IsDurable = true });
        given.ForEach(_group.TakeBack);
        _dispatch.Clear();
        End("b", from: _dispatch.All);
        _group.Pump();

        Assert.Equal(["b"], _dispatch.Members);
        Assert.Equal(given[0].Reference, _dispatch.Leases[0].Reference);
    }

    [Fact]
    public void A_message_that_the_members_session_has_taken_takes_its_room_and_never_goes_to_another()
    {
        Join("a", maximum: 1);
        Publish(2, qos: 2);
        _group.HandOver(_dispatch.Leases[0]);
        Join("b", maximum: 1);
        _group.Pump();
        Assert.Equal(["a", "b"], _dispatch.Members);
        Assert.DoesNotContain(_group.Snapshot().Open, open => open.ClientId == "a");

        _group.TakeBack(_dispatch.Leases[0]);
        Assert.Equal(0, _group.Returned);
    }

    [Fact]
    public void The_QoS_of_a_delivery_is_the_lesser_of_the_messages_and_the_members()
    {
        Join("a", qos: 1);
        Join("b", qos: 0);
        Publish(2, qos: 2);

        Assert.Equal([1, 0], _dispatch.Leases.Select(lease => lease.QoS));
    }

    [Fact]
    public void Messages_of_QoS_0_take_turns_even_where_windows_are_full()
    {
        Join("a", maximum: 1);
        Join("b", maximum: 1);
        Publish(2);
        for (var i = 0; i < 4; i++)
        {
            Assert.True(_group.TryGive(0, Message(100 + i)));
        }

        Assert.Equal(2, _dispatch.Given.Count(client => client == "a"));
        Assert.Equal(2, _dispatch.Given.Count(client => client == "b"));
    }

    [Fact]
    public void When_a_members_partition_begins_anew_QoS_1_goes_to_others_and_QoS_2_to_the_same_member_under_its_number()
    {
        Join("a", maximum: 2, partition: 1);
        Publish(1, qos: 1);
        Publish(1, qos: 2);
        var (first, second) = (_dispatch.Leases[0], _dispatch.Leases[1]);
        _dispatch.Clear();

        _group.LoseLeases(partition: 1);
        Join("a", maximum: 2, partition: 1);
        Join("b", partition: 2);
        _group.SettleMembers(1, _ => 1);
        _group.Pump();

        Assert.Equal((second.Number, "a", second.Reference), (_dispatch.Leases[0].Number, _dispatch.Leases[0].Member.ClientId, _dispatch.Leases[0].Reference));
        Assert.Equal(("b", first.Reference), (_dispatch.Leases[1].Member.ClientId, _dispatch.Leases[1].Reference));
        Assert.True(_dispatch.Leases[1].Number > second.Number);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_only_a_session_that_has_ended_could_have_got_at_QoS_2_ends_with_it(bool comesAnew)
    {
        Join("a", maximum: 2, partition: 1);
        Publish(1, qos: 2);
        _dispatch.Clear();
        _group.LoseLeases(partition: 1);
        if (comesAnew)
        {
            Apply(Change("a", 100, number: 2), partition: 1);
        }

        Join("b", partition: 2);
        _group.SettleMembers(1, _ => 1);
        _group.Pump();

        Assert.Empty(_dispatch.Leases);
        Assert.Empty(_group.Snapshot().Open);
        Assert.Equal(comesAnew, _group.Find("a", 2) is not null);
        Assert.Null(_group.Find("a", 1));
    }

    [Fact]
    public void A_stored_group_goes_on_where_it_was()
    {
        Join("a");
        Join("b", qos: 0);
        Publish(2, qos: 1);
        Publish(1, qos: 2);
        var (waiting, open) = _group.Snapshot();

        // What b has at QoS 0 is not delivered again.
        Assert.Equal([0], waiting.Select(reference => reference.Offset));
        Assert.Equal([("a", 1L, 2L)], open.Select(lease => (lease.ClientId, lease.Member, lease.Reference.Offset)));

        Dispatch later = new() { Numbers = 1000 };
        SharedGroup next = new(_group.Name, new(_group.Name, slot: -1), later);
        next.Load(waiting, open);
        next.Apply(Change("b", 100), partition: 0);
        next.Pump();
        Assert.Equal([("b", 0)], later.Leases.Select(lease => (lease.Member.ClientId, lease.Reference.Offset)));

        next.Apply(Change("a", 100), partition: 0);
        next.Pump();
        Assert.Equal((open[0].Number, "a", 2), (later.Leases[1].Number, later.Leases[1].Member.ClientId, later.Leases[1].Reference.Offset));
        Assert.Equal([false, true], later.Leases.Select(lease => lease.IsRepeated));
    }

    [Fact]
    public void What_a_member_may_have_taken_is_offered_in_the_order_of_the_leases_also_after_another_crash_in_the_midst_of_it()
    {
        Join("a");
        Publish(5, qos: 2);
        var (waiting, open) = _group.Snapshot();

        // The third cannot be offered yet.
        Dispatch second = new() { Numbers = 1000, Unread = 2 };
        SharedGroup next = new(_group.Name, new(_group.Name, slot: -1), second);
        next.Load(waiting, open);
        next.Apply(Change("a", 100), partition: 0);
        next.Pump();
        Assert.Equal([1, 2], second.Leases.Select(lease => lease.Number));

        (waiting, open) = next.Snapshot();
        Dispatch third = new() { Numbers = 2000 };
        SharedGroup last = new(_group.Name, new(_group.Name, slot: -1), third);
        last.Load(waiting, open);
        last.Apply(Change("a", 100), partition: 0);
        last.Pump();
        Assert.Equal([1, 2, 3, 4, 5], third.Leases.Select(lease => lease.Number));
    }

    [Fact]
    public void Leases_of_a_member_that_comes_back_in_the_midst_of_it_are_in_order_too()
    {
        Join("a", partition: 1);
        Publish(5, qos: 2);
        _group.LoseLeases(partition: 1);
        _dispatch.Unread = 2;
        Join("a", partition: 1);
        _group.Pump();
        _group.LoseLeases(partition: 1);
        _dispatch.Unread = -1;
        _dispatch.Clear();
        Join("a", partition: 1);
        _group.Pump();

        Assert.Equal([1, 2, 3, 4, 5], _dispatch.Leases.Select(lease => lease.Number));
    }

    [Fact]
    public void A_member_that_left_gets_nothing_more_and_an_old_change_does_not_bring_it_back()
    {
        Join("a");
        Apply(Change("a", 100, number: 2));
        Apply(new() { Group = _group.Name, ClientId = "a", Number = 1, HasLeft = true });
        Apply(Change("a", 100, number: 1));
        Assert.NotNull(_group.Find("a", 2));

        Apply(new() { Group = _group.Name, ClientId = "a", Number = 2, HasLeft = true });
        Assert.True(_group.IsEmpty);
        Publish(1);
        Assert.Empty(_dispatch.Members);
    }

    [Fact]
    public void A_thousand_members_that_come_go_and_acknowledge_at_random_are_served_by_the_fewest_first()
    {
        Random random = new(5);
        List<GroupMember> members = [];
        MemberQueue queue = new();
        for (var step = 0; step < 50_000; step++)
        {
            switch (random.Next(10))
            {
                case 0 when members.Count < 1000:
                    GroupMember member = new($"{step}", 0, step);
                    member.Update(Change($"{step}", random.Next(1, 20)));
                    members.Add(member);
                    queue.Update(member);
                    break;
                case 1 when members.Count > 0:
                    var gone = members[random.Next(members.Count)];
                    gone.Disconnect();
                    members.Remove(gone);
                    queue.Update(gone);
                    break;
                case < 6 when members.Count > 0:
                    var acknowledging = members[random.Next(members.Count)];
                    acknowledging.Leases = Math.Max(0, acknowledging.Leases - 1);
                    queue.Update(acknowledging);
                    break;
                default:
                    var expected = members.Where(each => each.HasRoom).OrderBy(each => each.Leases).ThenBy(each => each.Turn).FirstOrDefault();
                    Assert.Equal((expected?.Leases, expected?.Turn), (queue.Next?.Leases, queue.Next?.Turn));
                    if (queue.Next is { } next)
                    {
                        next.Leases++;
                        queue.Served(next);
                    }

                    break;
            }
        }
    }

    [Fact]
    public void A_mailbox_that_grows_beyond_a_sixteenth_fills_up_until_hardly_anything_waits()
    {
        _dispatch.MaximumQueued = 64;
        Join("a", maximum: 1);
        Publish(1);
        while (_group.Session.Mailbox.Count < 8)
        {
            Assert.False(_group.Session.Mailbox.Count <= 4 && _group.IsFilling);
            Publish(2);
            Next();
        }

        Assert.True(_group.IsFilling);
        Next(5);
        Assert.True(_group.IsFilling);
        Next();
        Assert.False(_group.IsFilling);
    }

    [Fact]
    public void What_waits_since_all_members_were_away_fills_nothing_up_unless_it_takes_half_of_the_mailbox()
    {
        _dispatch.MaximumQueued = 64;
        Publish(51);
        Join("a", maximum: 1);
        _group.Pump();
        for (var waiting = 50; waiting > 0; waiting--)
        {
            Assert.Equal(waiting, _group.Session.Mailbox.Count);
            Assert.Equal(waiting > 32, _group.IsFilling);
            Next();
        }
    }

    [Fact]
    public void A_group_without_a_mailbox_is_never_full()
    {
        _dispatch.MaximumQueued = 0;
        Join("a", maximum: 3);
        Publish(3);
        Assert.False(_group.IsFilling);
    }

    private void Next(int count = 1)
    {
        for (; count > 0; count--)
        {
            End("a");
            _group.Pump();
        }
    }

    private void Join(params string[] clientIds)
    {
        foreach (var clientId in clientIds)
        {
            Join(clientId, maximum: 100);
        }
    }

    private void Join(string clientId, int maximum = 100, long maximumBytes = 1_000_000, byte qos = 2, int partition = 0) => Apply(Change(clientId, maximum, maximumBytes, qos), partition);

    private void Apply(MemberChange change, int partition = 0) => _group.Apply(change, partition);

    private static MemberChange Change(string clientId, int maximum, long maximumBytes = 1_000_000, byte qos = 2, long number = 1) => new()
    {
        Group = "$share/g/t",
        ClientId = clientId,
        Number = number,
        IsConnected = true,
        IsDurable = true,
        MaximumQoS = qos,
        MaximumLeases = maximum,
        MaximumBytes = maximumBytes,
    };

    private void Publish(int count, byte qos = 1, int length = 10)
    {
        for (; count > 0; count--)
        {
            MessageReference reference = new(_offset++, 0, qos);
            var message = Message(reference.Offset, length);
            _dispatch.Log.Add(reference.Offset, message);
            if (!_group.TryLease(reference, message))
            {
                _group.Session.Mailbox.Enqueue(reference);
            }
        }
    }

    private void End(string clientId, List<GroupLease>? from = null) =>
        _group.End((from ?? _dispatch.All).First(lease => lease.Member.ClientId == clientId && _dispatch.Living.Contains(lease.Number)));

    private static MqttMessage Message(long offset, int length = 10) => new() { Topic = "t", Payload = new byte[length], QoS = 1, Offset = offset };

    private sealed class Dispatch : ISharedGroupDispatch
    {
        public Dictionary<long, MqttMessage> Log { get; } = [];

        public List<GroupLease> All { get; } = [];

        public List<GroupLease> Leases { get; } = [];

        public List<string> Members { get; } = [];

        public List<string> Given { get; } = [];

        public HashSet<long> Living { get; } = [];

        public long Numbers { get; set; }

        public int MaximumQueued { get; set; } = 1_000;

        /// <summary>The offset of a message that has to be read first; -1 for none.</summary>
        public long Unread { get; set; } = -1;

        public IEnumerable<long> Offsets => Leases.Select(lease => lease.Reference.Offset);

        public void Clear()
        {
            Leases.Clear();
            Members.Clear();
        }

        public long NextLeaseNumber() => ++Numbers;

        public bool Find(Session session, MessageReference reference, out MqttMessage? message)
        {
            message = reference.Offset == Unread ? null : Log.GetValueOrDefault(reference.Offset) ?? Message(reference.Offset);
            return reference.Offset != Unread;
        }

        public void Offer(GroupLease lease, MqttMessage message)
        {
            Assert.Equal(lease.Reference.Offset, message.Offset);
            All.Add(lease);
            Leases.Add(lease);
            Members.Add(lease.Member.ClientId);
            Living.Add(lease.Number);
        }

        public void Offer(GroupMember member, int link, MqttMessage message) => Given.Add(member.ClientId);

        public void Forget(GroupLease lease) => Living.Remove(lease.Number);

        public void MarkDirty(SharedGroup group)
        {
        }
    }
}
