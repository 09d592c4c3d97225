using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace OrleansMqtt.Grains.Tests;

/// <summary>When a group has given a member less than it could take: publishers are slowed down then, and not when the members are slow.</summary>
public sealed class MembershipTests
{
    private readonly Session _session = new("member", slot: 0);
    private readonly Membership _membership;

    public MembershipTests()
    {
        GroupLink link = new(groupPartition: 0, sessionPartition: 0, generation: 1, owner: null!, NullLogger.Instance) { OwnerLost = _ => { }, Superseded = () => { } };
        _membership = new(_session, "$share/g/t", number: 1, link) { Options = default };
        (_session.Shares = new()).Add(_membership);
    }

    [Fact]
    public void A_member_with_room_and_nothing_waiting_could_take_more()
    {
        Open(maximumCount: 64);
        Send(63);
        Assert.True(_membership.IsUnderused);
    }

    [Fact]
    public void A_member_whose_client_has_all_that_it_takes_is_slow_itself()
    {
        Open(maximumCount: 64);
        Send(64);
        Assert.False(_membership.IsUnderused);
    }

    [Fact]
    public void A_member_for_which_messages_wait_is_slow_itself()
    {
        Open(maximumCount: 64);
        _session.Shares!.Wait(new(_membership, Number: 1, new(0, 0, 1), Message: new() { Topic = "t", Payload = default, QoS = 1, Offset = 0 }));
        Assert.False(_membership.IsUnderused);
    }

    [Fact]
    public void A_member_that_takes_few_messages_at_a_time_tells_nothing()
    {
        Open(maximumCount: 63);
        Assert.False(_membership.IsUnderused);
    }

    private void Open(int maximumCount) => _session.Window.Open(maximumCount, maximumBytes: 1_000_000);

    private void Send(int count)
    {
        for (var i = 0; i < count; i++)
        {
            _session.Window.Add(new(i, 0, 1), bytes: 1);
        }
    }
}
