using OrleansMqtt.Log;
using OrleansMqtt.Storage.Kafka;
using Xunit;

namespace OrleansMqtt.Grains.Tests;

public sealed class StoredSessionTests
{
    private static readonly int[] Sources = [3, 4];

    [Fact]
    public void The_layout_of_a_session_is_pinned()
    {
        SessionRecord record = new()
        {
            ExpirySeconds = 60,
            Epoch = new(5, 300),
            Edge = "E",
            ConnectionId = 7,
            IsFirstConnection = true,
            DisconnectedAt = 128,
            Will = new() { DelaySeconds = 2, Message = new() { Topic = "w", Payload = new byte[] { 9 }, QoS = 2, Retain = true, PublisherClientId = "c" } },
        };
        SourceOffset[] starts = [new(0, 1), new(1, 200)];
        record.Subscriptions.Add(new(new() { Filter = "a/#", MaximumQoS = 1 }, starts));
        record.Subscriptions.Add(new(new() { Filter = "b", MaximumQoS = 2, NoLocal = true }, starts));
        record.Subscriptions.Add(new(new() { Filter = "c", MaximumQoS = 1, RetainAsPublished = true, RetainHandling = 2, Identifier = 300 }, starts));

        var bytes = SessionRecordCodec.Encode(record);

        Assert.Equal(
            "02" + "3C" + "05" + "AC02" + "0145" + "07" + "8001" + "0D" + "02" + "0177" + "0109" + "0163" + "01" + "02" + "0001" + "01C801"
            + "03" + "03612F23" + "0100" + "0162" + "0600" + "0163" + "69AC0200" + "01",
            Convert.ToHexString(bytes));
        var decoded = SessionRecordCodec.Decode(bytes);
        Assert.Equal(record.Epoch, decoded.Epoch);
        Assert.Equal(record.Edge, decoded.Edge);
        Assert.True(decoded.IsFirstConnection);
        Assert.Equal(2u, decoded.Will!.DelaySeconds);
        Assert.Equal(2, decoded.Will.Message.QoS);
        Assert.True(decoded.Will.Message.Retain);
        Assert.Equal(record.Subscriptions.Select(each => each.Subscription), decoded.Subscriptions.Select(each => each.Subscription));
        Assert.Same(decoded.Subscriptions[0].Starts, decoded.Subscriptions[1].Starts);
        Assert.Equal(starts, decoded.Subscriptions[0].Starts);
    }

    [Fact]
    public void A_session_that_was_stored_without_retain_options_and_identifiers_is_read()
    {
        var bytes = Convert.FromHexString("01" + "3C" + "05" + "AC02" + "00" + "07" + "8001" + "00" + "01" + "01" + "0001" + "02" + "03612F23" + "0100" + "0162" + "0600");

        var subscriptions = SessionRecordCodec.Decode(bytes).Subscriptions.Select(each => each.Subscription);

        Subscription[] expected = [new() { Filter = "a/#", MaximumQoS = 1 }, new() { Filter = "b", MaximumQoS = 2, NoLocal = true }];
        Assert.Equal(expected, subscriptions);
    }

    [Fact]
    public void A_will_keeps_all_its_properties()
    {
        MessageProperties properties = new()
        {
            ExpiryIntervalSeconds = 10,
            ContentType = "text/plain",
            IsText = false,
            ResponseTopic = "r",
            CorrelationData = new byte[] { 1, 2 },
            UserProperties = [new("k", "v"), new("k", "w")],
        };
        SessionRecord record = new() { Will = new() { Message = new() { Topic = "t", Payload = default, QoS = 0, PublisherClientId = "c", Properties = properties } } };

        var decoded = SessionRecordCodec.Decode(SessionRecordCodec.Encode(record)).Will!.Message.Properties!;

        Assert.Equal(10u, decoded.ExpiryIntervalSeconds);
        Assert.Equal("text/plain", decoded.ContentType);
        Assert.False(decoded.IsText);
        Assert.Equal("r", decoded.ResponseTopic);
        Assert.Equal(new byte[] { 1, 2 }, decoded.CorrelationData!.Value.ToArray());
        Assert.Equal(properties.UserProperties, decoded.UserProperties);
    }

    [Fact]
    public void The_layout_of_deliveries_is_pinned()
    {
        DeliveryRecord record = new()
        {
            WillPublished = new(1, 2),
            LastPacketId = 300,
            MailboxHead = 5,
            Matched = [new(0, 9)],
            Inflight = [new(299, 0, 7, 1, IsReleased: false), new(300, 0, 8, 2, IsReleased: true)],
            Received = [1],
        };

        var bytes = record.Encode();

        Assert.Equal("01" + "0102" + "AC02" + "05" + "010009" + "02" + "AB02" + "01" + "00" + "07" + "AC02" + "06" + "00" + "08" + "0101", Convert.ToHexString(bytes));
        var decoded = DeliveryRecord.Decode(bytes);
        Assert.Equal(record.Inflight, decoded.Inflight);
        Assert.Equal(record.Received, decoded.Received);
        Assert.Equal(record.Matched, decoded.Matched);
        Assert.Equal(record.WillPublished, decoded.WillPublished);
    }

    [Fact]
    public void The_layout_of_a_retained_message_in_flight_is_pinned()
    {
        MqttMessage message = new() { Topic = "t", Payload = new byte[] { 9, 8 }, QoS = 1, Retain = true, PublisherClientId = "c", TimestampMilliseconds = 300, Offset = 5 };

        var bytes = Assert.Single(MessageCopyRecord.Encode(message));

        Assert.Equal("01" + "0D" + "AC02" + "05" + "0174" + "020908" + "0163", Convert.ToHexString(bytes));
        Assert.Equal("63" + "00" + "72" + "0102" + "00000003", Convert.ToHexString(SessionKeys.Copy("c", 0x0102, 3)));
    }

    [Fact]
    public void The_layout_of_a_mailbox_segment_is_pinned()
    {
        var bytes = MailboxSegmentRecord.Encode([new(1000, 0, 1), new(1001, 1, 2), new(999, 0, 1)], Sources);

        Assert.Equal("01" + "03" + "0D" + "D00F" + "12" + "02" + "0D" + "03", Convert.ToHexString(bytes));
        Assert.Equal([(3, 1000, 1, false), (4, 1001, 2, false), (3, 999, 1, false)], MailboxSegmentRecord.Decode(bytes));
    }

    [Fact]
    public void The_layout_of_positions_is_pinned()
    {
        PositionsRecord record = new() { Generation = 2, Sources = [new(new("t", 1), 300), new(new("t", 2), 0, new("00112233-4455-6677-8899-aabbccddeeff"))] };

        var bytes = record.Encode();

        Assert.Equal("02" + "02" + "02" + "0174" + "01" + "AC02" + "00" + "0174" + "02" + "00" + "1000112233445566778899AABBCCDDEEFF", Convert.ToHexString(bytes));
        Assert.Equal(record.Sources, PositionsRecord.Decode(bytes).Sources);
        Assert.Equal(record.Sources[..1], PositionsRecord.Decode(Convert.FromHexString("01" + "02" + "01" + "0174" + "01" + "AC02")).Sources);
    }

    [Theory]
    [InlineData("02")]
    [InlineData("01")]
    [InlineData("01FFFFFFFFFFFFFFFFFFFF01")]
    public void A_record_that_is_damaged_or_of_another_version_is_refused(string hex) =>
        Assert.Throws<InvalidDataException>(() => DeliveryRecord.Decode(Convert.FromHexString(hex)));

    [Fact]
    public void Keys_name_the_client_and_the_part()
    {
        Assert.Equal(("c", ""), Split(SessionKeys.Session("c")));
        Assert.Equal(("c", "d"), Split(SessionKeys.Delivery("c")));
        Assert.Equal(("", "p"), Split(SessionKeys.Positions));
        var (clientId, suffix) = SessionKeys.Split(SessionKeys.Segment("é", 258));
        Assert.Equal("é", clientId);
        Assert.Equal(258, SessionKeys.SegmentNumberOf(suffix.Span));

        static (string, string) Split(byte[] key)
        {
            var (clientId, suffix) = SessionKeys.Split(key);
            return (clientId, System.Text.Encoding.UTF8.GetString(suffix.Span));
        }
    }

    [Fact]
    public void A_mailbox_that_is_stored_now_and_then_is_loaded_as_it_was_at_the_last_time()
    {
        Random random = new(11);
        Mailbox mailbox = new();
        Dictionary<string, byte[]> topic = [];
        var next = 0;
        for (var round = 0; round < 200; round++)
        {
            for (var left = random.Next(400); left > 0; left--)
            {
                if (random.Next(round % 20 < 10 ? 3 : 5) < 2)
                {
                    mailbox.Enqueue(new(next++, 0, 1));
                }
                else if (mailbox.Count > 0)
                {
                    mailbox.Dequeue();
                }
            }

            List<StoreRecord> records = [];
            mailbox.Store("c", "sessions", [0], records);
            foreach (var record in records)
            {
                var key = Convert.ToHexString(record.Record.Key.Span);
                if (record.Record.Value is { } value)
                {
                    topic[key] = value.ToArray();
                }
                else
                {
                    Assert.True(topic.Remove(key), "Only what is stored is removed.");
                }
            }

            Assert.True(topic.Count <= (mailbox.Count / Mailbox.SegmentSize) + 2, $"{topic.Count} segments for {mailbox.Count} references.");
            var loaded = Load(topic, mailbox.Head);
            Assert.Equal(mailbox.Count, loaded.Count);
            for (var (from, to) = (Copy(mailbox), Copy(loaded)); from.Count > 0;)
            {
                Assert.Equal(from.Dequeue(), to.Dequeue());
            }
        }

        List<StoreRecord> removals = [];
        mailbox.RemoveStored("c", "sessions", removals);
        Assert.Equal(topic.Keys.Order(), removals.Select(record => Convert.ToHexString(record.Record.Key.Span)).Order());

        static Mailbox Load(Dictionary<string, byte[]> topic, long head)
        {
            Mailbox mailbox = new();
            foreach (var (key, value) in topic.OrderBy(entry => entry.Key, StringComparer.Ordinal))
            {
                var (_, suffix) = SessionKeys.Split(Convert.FromHexString(key));
                mailbox.Load(SessionKeys.SegmentNumberOf(suffix.Span), [.. MailboxSegmentRecord.Decode(value).Select(each => new MessageReference(each.Offset, (ushort)each.Source, each.QoS))]);
            }

            mailbox.SetHead(head);
            return mailbox;
        }

        static Queue<MessageReference> Copy(Mailbox mailbox) => new(mailbox.All);
    }

    [Fact]
    public void Due_sessions_come_once_in_time_order_and_not_when_they_were_cleared_or_set_anew()
    {
        DueQueue due = new();
        Session first = new("a", 0), second = new("b", 1), cleared = new("c", 2), moved = new("d", 3), never = new("e", 4);
        due.Set(second, 20);
        due.Set(first, 10);
        due.Set(cleared, 15);
        due.Clear(cleared);
        due.Set(moved, 5);
        due.Set(moved, 100);
        due.Set(never, long.MaxValue);

        Assert.False(due.TryTake(9, out _));
        Assert.True(due.TryTake(30, out var taken));
        Assert.Same(first, taken);
        Assert.True(due.TryTake(30, out taken));
        Assert.Same(second, taken);
        Assert.False(due.TryTake(99, out _));
        Assert.True(due.TryTake(100, out taken));
        Assert.Same(moved, taken);
        Assert.False(due.TryTake(long.MaxValue - 1, out _));
    }

    [Fact]
    public void A_client_that_comes_and_goes_leaves_no_growing_queue_of_dates()
    {
        DueQueue due = new();
        var sessions = Enumerable.Range(0, 2_000).Select(i => new Session($"{i}", i)).ToArray();
        for (var round = 0; round < 100; round++)
        {
            foreach (var session in sessions)
            {
                due.Clear(session);
                due.Set(session, 1_000_000 + round);
            }
        }

        Assert.InRange(due.Count, sessions.Length, 2 * sessions.Length + 2);
        var taken = 0;
        while (due.TryTake(1_000_099, out _))
        {
            taken++;
        }

        Assert.Equal(sessions.Length, taken);
        Assert.Equal(0, due.Count);
    }

    [Fact]
    public void A_reference_to_a_partition_that_is_not_read_any_more_keeps_its_place_when_its_segment_is_stored_again()
    {
        var bytes = MailboxSegmentRecord.Encode([new(1000, ushort.MaxValue, 1), new(1001, 1, 2)], Sources);

        var decoded = MailboxSegmentRecord.Decode(bytes);

        Assert.Equal((4, 1001L, (byte)2, false), decoded[1]);
        Assert.DoesNotContain(decoded[0].Source, Sources);
        Assert.Equal(-1, new SourceNumbers(null, [new("t", 0), new("t", 1)]).LinkOf(decoded[0].Source));
    }

    [Fact]
    public void A_will_is_due_after_its_delay_or_at_the_end_of_the_session_whichever_is_first()
    {
        WillMessage will = new() { DelaySeconds = 10, Message = new() { Topic = "t", Payload = default, QoS = 0 } };

        Assert.Equal(11_000, new SessionRecord { DisconnectedAt = 1_000, ExpirySeconds = 60, Will = will }.WillDueAt);
        Assert.Equal(6_000, new SessionRecord { DisconnectedAt = 1_000, ExpirySeconds = 5, Will = will }.WillDueAt);
        Assert.Equal(1_000, new SessionRecord { DisconnectedAt = 1_000, ExpirySeconds = 0, Will = will }.DueAt);
        Assert.Equal(11_000, new SessionRecord { DisconnectedAt = 1_000, ExpirySeconds = uint.MaxValue, Will = will }.DueAt);
        Assert.Equal(long.MaxValue, new SessionRecord { DisconnectedAt = 1_000, ExpirySeconds = uint.MaxValue }.DueAt);
    }
}
