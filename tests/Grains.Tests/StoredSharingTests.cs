using Xunit;

namespace OrleansMqtt.Grains.Tests;

/// <summary>What is stored of shared subscriptions.</summary>
public sealed class StoredSharingTests
{
    [Fact]
    public void The_layout_of_a_group_is_pinned()
    {
        SharedGroupRecord record = new()
        {
            Starts = [new(0, 1)],
            Matched = [new(0, 200)],
            MailboxHead = 5,
            LastLease = 300,
            Waiting = [new(3, 1000, 1), new(3, 1001, 2)],
            Open = [new(299, "c", 7, new(4, 999, 2)), new(300, "c", 7, new(4, 1002, 2))],
        };

        var bytes = record.Encode();

        Assert.Equal(
            "01" + "010001" + "0100C801" + "05" + "AC02" + "02" + "0DD00F" + "0E02" + "01" + "016307" + "02" + "02" + "00" + "1203" + "00" + "00" + "1206", Convert.ToHexString(bytes));
        var decoded = SharedGroupRecord.Decode(bytes);
        Assert.Equal(record.Starts, decoded.Starts);
        Assert.Equal(record.Matched, decoded.Matched);
        Assert.Equal((5, 300), (decoded.MailboxHead, decoded.LastLease));
        Assert.Equal(record.Waiting, decoded.Waiting);
        Assert.Equal(record.Open, decoded.Open);
    }

    [Fact]
    public void The_layout_of_memberships_is_pinned()
    {
        StoredMembership[] memberships = [new("$share/g/t", 7, 300)];

        var bytes = MembershipsRecord.Encode(memberships);

        Assert.Equal("01" + "01" + "0A2473686172652F672F74" + "07" + "AC02", Convert.ToHexString(bytes));
        Assert.Equal(memberships, MembershipsRecord.Decode(bytes));
    }

    [Theory]
    [InlineData("$share/g/t", "t")]
    [InlineData("$share/g//t", "/t")]
    [InlineData("$share/group/sport/+/#", "sport/+/#")]
    public void The_filter_of_a_shared_subscription_begins_after_the_name(string shared, string filter)
    {
        Assert.True(SharedFilter.IsShared(shared));
        Assert.Equal(filter, SharedFilter.TopicFilterOf(shared));
    }
}
