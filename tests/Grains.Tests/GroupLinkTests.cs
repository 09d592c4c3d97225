using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace OrleansMqtt.Grains.Tests;

/// <summary>What the members' side of a group knows of an offer that it may have taken before.</summary>
public sealed class GroupLinkTests
{
    private readonly GroupLink _link = new(groupPartition: 0, sessionPartition: 1, generation: 5, owner: null!, NullLogger.Instance) { OwnerLost = _ => { }, Superseded = () => { } };

    [Theory]
    [InlineData(2, 7, false, true)]
    [InlineData(2, 8, false, false)]
    [InlineData(2, 8, true, false)]
    [InlineData(1, 7, true, false)]
    public void A_message_of_QoS_2_is_taken_when_the_member_has_come_as_far(byte qos, long number, bool isRepeated, bool isTaken)
    {
        _link.Add(new Membership(new("a", slot: 0), "$share/g/t", number: 3, _link) { Options = default, LastTaken = 7 });

        Assert.Equal(isTaken, _link.HasTaken(Offer(qos, number, isRepeated)));
    }

    [Theory]
    [InlineData(2, true, true)]
    [InlineData(2, false, false)]
    [InlineData(1, true, false)]
    public void What_a_membership_that_is_over_may_have_taken_has_ended_with_it_and_what_is_new_goes_to_another(byte qos, bool isRepeated, bool isTaken) =>
        Assert.Equal(isTaken, _link.HasTaken(Offer(qos, number: 8, isRepeated)));

    [Fact]
    public async Task A_complete_report_is_noted_because_what_was_leased_before_it_is_void_even_on_its_way()
    {
        Owner owner = new();
        GroupLink link = new(groupPartition: 0, sessionPartition: 1, generation: 5, owner, NullLogger.Instance) { OwnerLost = _ => { }, Superseded = () => { } };
        await link.ReportAsync();
        link.End(7, LeaseEndKind.Ended, isAwaited: false);
        await link.ReportAsync();
        Assert.Equal(1, link.LastComplete);

        link.OwnerStarted(++owner.Generation);
        await link.ReportAsync();
        Assert.Equal(3, link.LastComplete);
        Assert.Equal([(1, true), (2, false), (3, true)], owner.Reports);
    }

    [Fact]
    public async Task A_member_whose_number_is_not_stored_yet_is_not_reported()
    {
        Owner owner = new();
        GroupLink link = new(groupPartition: 0, sessionPartition: 1, generation: 5, owner, NullLogger.Instance) { OwnerLost = _ => { }, Superseded = () => { } };
        link.Add(new Membership(new("a", slot: 0), "$share/g/t", number: 3, link) { Options = default });
        link.Add(new Membership(new("b", slot: 1), "$share/g/t", number: 4, link) { Options = default, IsReported = true });
        await link.ReportAsync();

        Assert.Equal([4], owner.Members);
    }

    // The connection that it is for is none any more: what the member has taken is decided without it.
    private static LeaseOffer Offer(byte qos, long number, bool isRepeated) =>
        new(number, Member: 3, Slot: -1, new(1, 1), Source: 0, qos, new() { Topic = "t", Payload = default, QoS = qos, Offset = 0 }, isRepeated);

    private sealed class Owner : ISharedGroupOwnerGrain
    {
        public long Generation { get; set; } = 1;

        public List<(long Sequence, bool IsComplete)> Reports { get; } = [];

        public List<long> Members { get; } = [];

        public ValueTask<ReportResult> Report(GroupReport report)
        {
            Members.AddRange(report.Changes.Select(change => change.Number));
            Reports.Add((report.Sequence, report.IsComplete));
            return new(new ReportResult(ReportOutcome.Accepted, Generation));
        }

        public ValueTask<bool> WaitForStart(string group, string clientId, long member) => new(true);
    }
}
