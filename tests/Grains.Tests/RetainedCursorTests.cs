using OrleansMqtt.Log;
using Xunit;

namespace OrleansMqtt.Grains.Tests;

/// <summary>How far the retained messages of a subscription are sent, in memory and stored.</summary>
public sealed class RetainedCursorTests
{
    [Fact]
    public void A_cursor_goes_through_the_partitions_that_had_something()
    {
        RetainedCursor cursor = new("a/#", 3);
        Assert.Equal(-1, cursor.Partition);
        cursor.Start([new(0, 10), new(5, 5), new(2, 4)]);
        Assert.Equal((0, 0L, 10L), (cursor.Partition, cursor.From(0), cursor.Before(0)));
        cursor.MoveTo(0, 12);
        Assert.Equal((2, 2L), (cursor.Partition, cursor.From(2)));
        cursor.MoveTo(2, 4);
        Assert.Equal(-1, cursor.Partition);
    }

    [Fact]
    public void Of_what_is_published_meanwhile_it_remembers_so_much_and_says_when_it_forgot()
    {
        RetainedCursor cursor = new("#", 1);
        for (var i = 0; i < 4_096; i++)
        {
            cursor.NoteNewer($"t{i}");
        }

        Assert.True(cursor.HasNewer("t0"));
        Assert.False(cursor.IsStale);
        cursor.NoteNewer("one more");
        Assert.True(cursor.IsStale);
        Assert.False(cursor.HasNewer("t0"));
        Assert.True(cursor.HasNewer("one more"));
    }

    [Fact]
    public void What_is_left_is_stored_by_the_numbers_of_the_partitions()
    {
        TopicPartitionId[] links = [new("messages", 0), new("messages", 1), new("retained", 0), new("retained", 1)];
        PositionsRecord positions = new() { Generation = 1, Sources = [new(new("old", 0), 7), new(new("retained", 1), 0)] };
        SourceNumbers sources = new(positions, links, retained: 2);
        RetainedBacklog backlog = new();
        RetainedCursor first = new("a/#", 2), second = new("b", 2), replaced = new("b", 2);
        first.Start([new(0, 300), new(0, 8)]);
        first.MoveTo(0, 200);
        second.Start([new(0, 5), new(0, 6)]);
        second.MoveTo(0, 5);
        backlog.Add(first);
        backlog.Add(replaced);
        backlog.Add(second);
        DeliveryRecord record = new() { Matched = [], Inflight = [], Received = [], Retained = backlog.Store(sources) };

        var bytes = record.Encode();

        Assert.Equal("01" + "0000" + "00" + "00" + "00" + "00" + "00" + "02" + "03612F23" + "02" + "04C801AC02" + "010008" + "0162" + "01" + "010006", Convert.ToHexString(bytes));
        var loaded = RetainedBacklog.Load(DeliveryRecord.Decode(bytes).Retained, sources)!;
        Assert.Equal(["a/#", "b"], loaded.All.Select(cursor => cursor.Filter));
        Assert.Equal((0, 200L, 300L, 0L, 8L), (loaded.All[0].Partition, loaded.All[0].From(0), loaded.All[0].Before(0), loaded.All[0].From(1), loaded.All[0].Before(1)));
        Assert.Equal(1, loaded.All[1].Partition);
        Assert.All(loaded.All, cursor => Assert.True(cursor is { SkipsQoS0: true, IsStale: true }));
        Assert.Null(RetainedBacklog.Load([], sources));
    }

    [Fact]
    public void The_RETAIN_flag_of_references_is_stored()
    {
        var bytes = MailboxSegmentRecord.Encode([new(1000, 0, 1, Retain: true), new(1001, 0, 2, Retain: true), new(1002, 0, 2)], [3]);

        Assert.Equal("01" + "03" + "0C" + "D00F" + "0F" + "02" + "0E" + "02", Convert.ToHexString(bytes));
        Assert.Equal([(3, 1000, 1, true), (3, 1001, 2, true), (3, 1002, 2, false)], MailboxSegmentRecord.Decode(bytes));
        DeliveryRecord record = new() { Matched = [], Inflight = [new(1, 0, 7, 1, IsReleased: false, Retain: true), new(2, 0, 8, 2, IsReleased: true)], Received = [] };
        Assert.Equal(record.Inflight, DeliveryRecord.Decode(record.Encode()).Inflight);
    }
}
