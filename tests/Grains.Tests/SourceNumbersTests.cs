using OrleansMqtt.Log;
using Xunit;

namespace OrleansMqtt.Grains.Tests;

/// <summary>Which stored offsets still mean something.</summary>
public sealed class SourceNumbersTests
{
    private static readonly TopicPartitionId First = new("messages", 0);
    private static readonly TopicPartitionId Second = new("messages", 1);
    private static readonly Guid Old = new("00112233-4455-6677-8899-aabbccddeeff");
    private static readonly Guid New = new("ffeeddcc-bbaa-9988-7766-554433221100");

    [Fact]
    public void Numbers_of_a_topic_that_was_made_anew_stand_for_nothing_and_its_offsets_begin_again()
    {
        SourceNumbers before = new(null, [First, Second], topicIds: [Old, Old]);
        Assert.False(before.IsAnew(0));
        var stored = PositionsRecord.Decode(before.Encode(1, []));

        SourceNumbers after = new(stored, [First, Second], topicIds: [New, Old]);

        Assert.Equal((true, false), (after.IsAnew(0), after.IsAnew(1)));
        Assert.Equal([2, 1], after.OfLinks.ToArray());
        Assert.Equal((-1, 0), (after.PositionOf(0), after.PositionOf(1)));
        Assert.Equal((-1, 1, 0), (after.LinkOf(0, 5), after.LinkOf(1, 5), after.LinkOf(2, 5)));
        Assert.Equal([0, 7], after.ByLink([new(0, 9), new(1, 7)]));
        Assert.Equal(New, after.TopicIdOf(0));

        // The old one's number is not given to another, and the new one keeps its own.
        SourceNumbers later = new(PositionsRecord.Decode(after.Encode(2, [])), [First, Second], topicIds: [New, Old]);
        Assert.Equal([2, 1], later.OfLinks.ToArray());
        Assert.False(later.IsAnew(0));
    }

    [Fact]
    public void An_identity_that_is_not_known_is_no_other_one()
    {
        PositionsRecord stored = new() { Generation = 1, Sources = [new(First, 9)] };

        SourceNumbers learned = new(stored, [First], topicIds: [Old]);
        Assert.Equal((false, 0, 9L, Old), (learned.IsAnew(0), learned.LinkOf(0, 5), learned.PositionOf(0), learned.TopicIdOf(0)));

        SourceNumbers unknown = new(PositionsRecord.Decode(learned.Encode(2, [])), [First]);
        Assert.Equal((false, 0, 9L, Old), (unknown.IsAnew(0), unknown.LinkOf(0, 5), unknown.PositionOf(0), unknown.TopicIdOf(0)));
    }

    [Fact]
    public void What_lies_behind_the_end_of_a_partition_that_was_cut_is_out_of_reach_and_subscriptions_count_from_there()
    {
        SourceNumbers sources = new(null, [First, Second]);
        sources.Cut(0, 6);

        Assert.Equal((0, -1, 1), (sources.LinkOf(0, 5), sources.LinkOf(0, 6), sources.LinkOf(1, 6)));
        Assert.Equal([6, 9], sources.ByLink([new(0, 9), new(1, 9)]));
        Assert.Equal([4, 9], sources.ByLink([new(0, 4), new(1, 9)]));
    }
}
