using OrleansMqtt.Log;
using Xunit;

namespace OrleansMqtt.Grains.Tests;

public sealed class KeptBatchesTests
{
    private readonly KeptBatches _kept = new();

    [Fact]
    public void What_continues_is_kept_and_taken_in_order_when_the_position_has_come_to_it()
    {
        _kept.Add(Batch(10, 20));
        _kept.Add(Batch(20, 30));
        Assert.Equal(10, _kept.From);
        Assert.Null(_kept.TakeAt(9));
        Assert.Equal(20, _kept.TakeAt(10)!.To);
        Assert.Equal(30, _kept.TakeAt(20)!.To);
        Assert.Null(_kept.TakeAt(30));
        Assert.Null(_kept.From);
    }

    [Fact]
    public void What_was_read_meanwhile_is_passed_over_and_what_reaches_beyond_is_not()
    {
        _kept.Add(Batch(10, 20));
        _kept.Add(Batch(20, 30));
        Assert.Equal(30, _kept.TakeAt(25)!.To);
        Assert.Null(_kept.From);
    }

    [Fact]
    public void A_gap_makes_the_earlier_ones_useless()
    {
        _kept.Add(Batch(10, 20));
        _kept.Add(Batch(25, 30));
        Assert.Equal(25, _kept.From);
        Assert.Null(_kept.TakeAt(20));
        Assert.Equal(30, _kept.TakeAt(25)!.To);
    }

    [Fact]
    public void A_stretch_of_which_nothing_matches_is_kept_as_it_comes_from_another_process()
    {
        _kept.Add(new() { Source = new("t", 0), TargetGeneration = 1, From = 10, To = 20, Messages = default });
        Assert.Equal(20, _kept.TakeAt(10)!.To);
    }

    [Fact]
    public void A_batch_that_comes_again_is_kept_once()
    {
        _kept.Add(Batch(10, 20));
        _kept.Add(Batch(10, 20));
        Assert.NotNull(_kept.TakeAt(10));
        Assert.Null(_kept.From);
    }

    [Fact]
    public void Beyond_the_most_messages_the_earliest_are_forgotten()
    {
        const int Half = KeptBatches.MaximumMessages / 2;
        _kept.Add(Batch(0, Half));
        _kept.Add(Batch(Half, 2 * Half));
        Assert.Equal(0, _kept.From);
        _kept.Add(Batch(2 * Half, (2 * Half) + 1));
        Assert.Equal(Half, _kept.From);
    }

    [Fact]
    public void Beyond_the_most_bytes_the_earliest_are_forgotten()
    {
        const int Half = (int)(KeptBatches.MaximumBytes / 2);
        _kept.Add(Batch(0, 1, Half));
        _kept.Add(Batch(1, 2, Half));
        Assert.Equal(0, _kept.From);
        _kept.Add(Batch(2, 3, 1));
        Assert.Equal(1, _kept.From);
    }

    private static RoutedBatch Batch(int from, int to, int size = 0) => new()
    {
        Source = new TopicPartitionId("t", 0),
        TargetGeneration = 1,
        From = from,
        To = to,
        Messages = Enumerable.Range(from, to - from).Select(offset => new MqttMessage { Topic = "a", Payload = new byte[size], QoS = 1, Offset = offset }).ToArray(),
    };
}
