using OrleansMqtt.LoadGenerator.Measuring;
using Xunit;

namespace OrleansMqtt.LoadGenerator.Tests;

public sealed class SequenceTrackerTests
{
    [Fact]
    public void A_sequence_in_order_has_no_faults()
    {
        var tracker = Receive(0, 1, 2, 3);

        Assert.Equal((4, 0, 0, 0), (tracker.Received, tracker.Duplicates, tracker.OutOfOrder, tracker.MissingBefore(4)));
    }

    [Fact]
    public void A_gap_and_the_tail_are_missing()
    {
        var tracker = Receive(0, 3, 4);

        Assert.Equal(4, tracker.MissingBefore(7));
        Assert.Equal([false, true, true, false, false, true], new uint[] { 0, 1, 2, 3, 4, 5 }.Select(s => tracker.IsMissing(s)));
    }

    [Fact]
    public void A_late_message_is_out_of_order_and_no_longer_missing()
    {
        var tracker = Receive(0, 5, 2);

        Assert.Equal((3, 0, 1, 3), (tracker.Received, tracker.Duplicates, tracker.OutOfOrder, tracker.MissingBefore(6)));
        Assert.False(tracker.IsMissing(2));
        Assert.True(tracker.IsMissing(1));
        Assert.True(tracker.IsMissing(3));
    }

    [Fact]
    public void A_repeated_message_is_a_duplicate()
    {
        var tracker = Receive(0, 1, 1, 4, 4, 0);

        Assert.Equal((3, 3, 0), (tracker.Received, tracker.Duplicates, tracker.OutOfOrder));
    }

    [Fact]
    public void Every_shuffled_sequence_is_counted_exactly()
    {
        var random = new Random(7);
        for (int round = 0; round < 200; round++)
        {
            uint[] sent = [.. Enumerable.Range(0, 50).Where(_ => random.Next(4) > 0).Select(i => (uint)i)];
            uint[] received = [.. sent, .. sent.Where(_ => random.Next(5) == 0)];
            random.Shuffle(received);
            var tracker = Receive(received);

            Assert.Equal(sent.Length, tracker.Received);
            Assert.Equal(received.Length - sent.Length, tracker.Duplicates);
            Assert.Equal(50 - sent.Length, tracker.MissingBefore(50));
        }
    }

    private static SequenceTracker Receive(params uint[] sequences)
    {
        var tracker = new SequenceTracker();
        foreach (uint sequence in sequences)
        {
            tracker.Receive(sequence);
        }

        return tracker;
    }
}
