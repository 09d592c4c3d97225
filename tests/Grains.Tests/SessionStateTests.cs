using Xunit;

namespace OrleansMqtt.Grains.Tests;

public sealed class SessionStateTests
{
    [Fact]
    public void A_mailbox_gives_references_back_in_order()
    {
        Mailbox mailbox = new();
        Queue<MessageReference> model = [];
        Random random = new(3);
        for (var i = 0; i < 10_000; i++)
        {
            if (random.Next(5) > 1)
            {
                MessageReference reference = new(i, (ushort)(i % 7), 1);
                mailbox.Enqueue(reference);
                model.Enqueue(reference);
            }
            else if (model.TryDequeue(out var expected))
            {
                Assert.Equal(expected, mailbox.Peek());
                mailbox.Dequeue();
            }

            Assert.Equal(model.Count, mailbox.Count);
        }
    }

    [Fact]
    public void A_window_closes_at_its_maximum_and_opens_with_acknowledgements_in_any_order()
    {
        InflightWindow window = new();
        window.Open(3, maximumBytes: 1000);
        var ids = Enumerable.Range(0, 3).Select(i => window.Add(new(i, 0, 1), 10)).ToArray();
        Assert.False(window.IsOpen);
        Assert.Equal(3, ids.Distinct().Count());
        Assert.True(window.Remove(ids[1]));
        Assert.True(window.IsOpen);
        Assert.False(window.Remove(ids[1]));
        Assert.True(window.Remove(ids[2]));
        Assert.True(window.Remove(ids[0]));
        Assert.Equal(0, window.Count);
    }

    [Fact]
    public void A_window_is_bounded_in_bytes_but_lets_one_large_message_through()
    {
        InflightWindow window = new();
        window.Open(100, maximumBytes: 1000);
        var large = window.Add(new(0, 0, 1), 5000);
        Assert.False(window.IsOpen);
        window.Remove(large);
        Assert.True(window.IsOpen);
    }

    [Fact]
    public void Packet_identifiers_are_never_zero_and_never_in_use_twice()
    {
        InflightWindow window = new();
        window.Open(ushort.MaxValue, maximumBytes: int.MaxValue);
        HashSet<ushort> inUse = [];
        var stays = window.Add(new(0, 0, 1), 1);
        inUse.Add(stays);
        for (var i = 0; i < 200_000; i++)
        {
            var id = window.Add(new(i, 0, 1), 1);
            Assert.NotEqual(0, id);
            Assert.True(inUse.Add(id));
            window.Remove(id);
            inUse.Remove(id);
        }
    }

    [Fact]
    public void Recent_messages_are_found_by_offset_until_newer_ones_take_their_place()
    {
        RecentMessages recent = new();
        for (var i = 0; i < 5_000; i++)
        {
            recent.Add(Message(i * 2));
        }

        Assert.Null(recent.Take(0));
        Assert.Equal(9_998, recent.Take(9_998)!.Offset);
        Assert.Null(recent.Take(9_997));
        Assert.Equal(2_000, recent.Take(2_000)!.Offset);
        Assert.Equal(2_002, recent.Take(2_002)!.Offset);
    }

    [Fact]
    public void Recent_messages_are_kept_until_all_mailboxes_have_taken_them()
    {
        RecentMessages recent = new();
        recent.Add(Message(1));
        recent.Add(Message(1));
        recent.Add(Message(2));
        Assert.Equal(1, recent.Take(1)!.Offset);
        Assert.Equal(1, recent.Take(1)!.Offset);
        Assert.Null(recent.Take(1));
        Assert.Equal(2, recent.Take(2)!.Offset);
        Assert.Null(recent.Take(2));
        recent.Add(Message(2));
        Assert.Equal(2, recent.Take(2)!.Offset);
    }

    [Fact]
    public void Recent_messages_that_were_taken_leave_their_bytes_to_others()
    {
        RecentMessages recent = new();
        for (var i = 0; i < 100; i++)
        {
            recent.Add(Message(i, length: 1 << 20));
            recent.Add(Message(i, length: 1 << 20));
            Assert.NotNull(recent.Take(i));
            Assert.NotNull(recent.Take(i));
        }

        recent.Add(Message(100, length: 1 << 20));
        recent.Add(Message(101, length: 1 << 20));
        recent.Add(Message(102, length: 3 << 20));
        Assert.Null(recent.Take(100));
        Assert.NotNull(recent.Take(101));
        Assert.NotNull(recent.Take(102));
    }

    private static MqttMessage Message(long offset, int length = 8) => new() { Topic = "t", Payload = new byte[length], QoS = 1, Offset = offset };
}
