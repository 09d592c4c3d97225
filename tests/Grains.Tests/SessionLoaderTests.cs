using Microsoft.Extensions.Logging;
using OrleansMqtt.Log;
using OrleansMqtt.Storage.Kafka;
using Xunit;

namespace OrleansMqtt.Grains.Tests;

/// <summary>What stands on the sessions topic is loaded, whatever stands beside it.</summary>
public sealed class SessionLoaderTests
{
    private static readonly TopicPartitionId Source = new("messages", 0);
    private static readonly int[] SourceOfLink = [0];
    private readonly Lines _lines = new();
    private readonly SessionLoader _loader;

    public SessionLoaderTests() => _loader = new(_lines);

    public static TheoryData<byte[]> Foreign => new(
        [], "{\"state\":1}"u8.ToArray(), [1], [1, 0xFF, 0xFF, 0xFF, 0xFF, 0x07], [1, .. Enumerable.Repeat((byte)0xFF, 40)], [99, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

    [Theory, MemberData(nameof(Foreign))]
    public void A_record_of_another_program_under_any_kind_of_key_leaves_all_else_as_it_is(byte[] value)
    {
        byte[][] keys =
        [
            SessionKeys.Positions, "other"u8.ToArray(), SessionKeys.Delivery("other"), SessionKeys.Segment("other", 3), SessionKeys.Segment("other", long.MaxValue), SessionKeys.Segment("other", -1),
            SessionKeys.Delivery("damaged"), SessionKeys.Segment("whole", 77), [], [0], [0, 1, 2], [.. "whole"u8, 0], [.. "whole"u8, 0, (byte)'x'], [.. "whole"u8, 0, (byte)'m', 1], [0xFF, 0xFE], [0xFF, 0xFE, 0, (byte)'d'],
        ];
        foreach (var key in keys)
        {
            _loader.Add(new(key, value, 0));
        }

        AddSession("whole", [1, 2, 3]);
        _loader.Add(new("damaged"u8.ToArray(), Record(), 0));

        var sessions = Load().ToDictionary(session => session.ClientId);
        Assert.Equal(["damaged", "whole"], sessions.Keys.Order());
        Assert.Equal([1, 2, 3], sessions["whole"].Mailbox.All.Select(reference => reference.Offset));
        Assert.Equal(3, sessions["whole"].Mailbox.Count);
        Assert.Equal(0, sessions["damaged"].Mailbox.Count);
        Assert.Null(_loader.Positions);
        Assert.Equal(2, _loader.Records.Count());

        // Each is told of once; what belongs to a session that cannot be read is not looked at.
        Assert.Equal(keys.Length - 2, _lines.Warnings.Count);
        Assert.Equal(_lines.Warnings.Count, _lines.Warnings.Distinct().Count());

        // Nothing of it is removed; but what lies beside the session goes when a new one takes its place.
        Assert.Empty(_loader.Orphans);
        var (clientId, leftovers) = Assert.Single(_loader.Leftovers);
        Assert.Equal("other", clientId);
        Assert.Equal([SessionKeys.Segment("other", 3), SessionKeys.Delivery("other")], leftovers);
    }

    [Fact]
    public void A_segment_that_cannot_be_read_keeps_its_place_between_the_others()
    {
        var middle = SessionKeys.Segment("client", 1);
        foreach (var (key, value) in Stored("client", [.. Enumerable.Range(0, 300).Select(offset => (long)offset)]))
        {
            _loader.Add(new(key, key.SequenceEqual(middle) ? "?"u8.ToArray() : value, 0));
        }

        var mailbox = Assert.Single(Load()).Mailbox;

        Assert.Equal(300, mailbox.Count);
        for (var offset = 0; offset < 300; offset++)
        {
            Assert.Equal(offset / 128 == 1 ? (ushort.MaxValue, 0L) : ((ushort)0, offset), (mailbox.Peek().Link, mailbox.Peek().Offset));
            mailbox.Dequeue();
        }

        Assert.Single(_lines.Warnings);
    }

    [Fact]
    public void Without_its_deliveries_a_mailbox_is_taken_from_its_first_segment_on()
    {
        foreach (var (key, value) in Stored("client", [.. Enumerable.Range(0, 300).Select(offset => (long)offset)]))
        {
            if (!key.SequenceEqual(SessionKeys.Segment("client", 0)))
            {
                _loader.Add(new(key, key.SequenceEqual(SessionKeys.Delivery("client")) ? "?"u8.ToArray() : value, 0));
            }
        }

        var mailbox = Assert.Single(Load()).Mailbox;

        Assert.Equal(172, mailbox.Count);
        Assert.Equal(128, mailbox.Peek().Offset);
    }

    [Fact]
    public void A_retained_message_in_flight_is_loaded_with_the_session_in_whichever_parts_it_is_and_what_is_not_in_flight_is_removed()
    {
        TopicPartitionId retained = new("retained", 0);
        SourceNumbers sources = new(null, [Source, retained], 1);
        MqttMessage message = new()
        {
            Topic = "t",
            Payload = Enumerable.Range(0, 600_000).Select(i => (byte)i).ToArray(),
            QoS = 2,
            Retain = true,
            PublisherClientId = "p",
            TimestampMilliseconds = 5,
            Offset = 9,
            Properties = new() { ContentType = "text/plain" },
        };
        MessageReference reference = new(9, 1, 2, Retain: true);
        Session session = new("client", slot: 0) { Copies = new() };
        var packetId = session.Window.Add(reference, 0);
        session.Copies.Add(packetId, reference, message);
        List<StoreRecord> records = [];
        session.Copies.Store("client", session.Window, "sessions", records);
        Assert.Equal(3, records.Count);
        Assert.Null(session.Copies.Find(packetId, reference with { Offset = 8 }));

        // Until it is on the log it is in memory, from then on there alone.
        session.Copies.NoteStored([], []);
        Assert.Same(message, session.Copies.Find(packetId, reference)!.Message);
        session.Copies.NoteStored(records, [AppendResult.Stored(0, 5), AppendResult.Stored(0, 6), AppendResult.Stored(0, 7)]);
        var copy = session.Copies.Find(packetId, reference)!;
        Assert.Equal((null, new StoredCopy(5, 8, 3)), (copy.Message, copy.Stored));

        DeliveryRecord delivery = new() { Matched = [], Inflight = [new(packetId, sources.OfLinks[1], 9, 2, IsReleased: false, Retain: true)], Received = [] };
        _loader.Add(new(SessionKeys.Session("client"), Record(), 0));
        _loader.Add(new(SessionKeys.Delivery("client"), delivery.Encode(), 0));
        for (var i = 0; i < records.Count; i++)
        {
            _loader.Add(new(records[i].Record.Key, records[i].Record.Value.GetValueOrDefault(), 5 + i));
        }

        _loader.Add(new(SessionKeys.Copy("client", 77, 0), MessageCopyRecord.Encode(message).First(), 0));
        var loaded = Assert.Single(_loader.CreateSessions(new(), sources)).Session;
        Assert.Equal(new StoredCopy(5, 8, 3), loaded.Copies!.Find(packetId, reference)!.Stored);

        records.Clear();
        loaded.Copies.Store("client", loaded.Window, "sessions", records);
        Assert.Equal([SessionKeys.Copy("client", 77, 0)], records.Select(record => record.Record.Key.ToArray()));
        Assert.All(records, record => Assert.Null(record.Record.Value));

        records.Clear();
        loaded.Window.Remove(packetId);
        loaded.Copies.Store("client", loaded.Window, "sessions", records);
        Assert.Equal((3, true), (records.Count, records.TrueForAll(record => record.Record.Value is null)));
    }

    [Fact]
    public void Of_a_partition_that_is_not_read_any_more_what_is_in_flight_is_over_and_what_was_released_goes_on()
    {
        SourceNumbers sources = new(new() { Generation = 1, Sources = [new(new("old", 0), 9)] }, [Source]);
        DeliveryRecord delivery = new()
        {
            Matched = [],
            Inflight = [new(1, 0, 5, 2, IsReleased: false), new(2, 0, 6, 2, IsReleased: true), new(3, 1, 7, 1, IsReleased: false)],
            Received = [],
        };
        _loader.Add(new(SessionKeys.Session("client"), Record(), 0));
        _loader.Add(new(SessionKeys.Delivery("client"), delivery.Encode(), 0));

        var loaded = Assert.Single(_loader.CreateSessions(new(), sources)).Session;

        Assert.Equal([(2, true), (3, false)], loaded.Window.InOrder.Select(each => ((int)each.PacketId, each.Message.IsReleased)));
        Assert.Equal([SourceNumbers.None, 1], loaded.Window.InOrder.Select(each => sources.NumberOf(each.Message.Reference)));
    }

    [Fact]
    public void A_retained_message_in_flight_whose_record_was_refused_is_stored_again()
    {
        MessageReference reference = new(9, 1, 2, Retain: true);
        Session session = new("client", slot: 0) { Copies = new() };
        var packetId = session.Window.Add(reference, 0);
        session.Copies.Add(packetId, reference, new() { Topic = "t", Payload = new byte[3], QoS = 2, Offset = 9 });
        List<StoreRecord> refused = [];
        session.Copies.Store("client", session.Window, "sessions", refused);
        session.Copies.Store("client", session.Window, "sessions", refused);
        Assert.Single(refused);

        session.Copies.NoteRefused();
        List<StoreRecord> records = [];
        session.Copies.Store("client", session.Window, "sessions", records);
        session.Copies.NoteStored(refused, [AppendResult.Stored(0, 1)]);
        Assert.NotNull(session.Copies.Find(packetId, reference)!.Message);

        session.Copies.NoteStored(records, [AppendResult.Stored(0, 2)]);
        Assert.Equal(new StoredCopy(2, 3, 1), session.Copies.Find(packetId, reference)!.Stored);

        records.Clear();
        session.Copies.RemoveStored("client", "sessions", records);
        Assert.Null(Assert.Single(records).Record.Value);
    }

    private static SourceNumbers Sources() => new(null, [Source]);

    private static byte[] Record()
    {
        SessionRecord record = new() { ExpirySeconds = 60 };
        record.Subscriptions.Add(new(new() { Filter = "a", MaximumQoS = 1 }, [new(0, 0)]));
        return SessionRecordCodec.Encode(record);
    }

    private static IEnumerable<(byte[] Key, byte[] Value)> Stored(string clientId, long[] waiting)
    {
        yield return (SessionKeys.Session(clientId), Record());
        yield return (SessionKeys.Delivery(clientId), new DeliveryRecord { Matched = [], Inflight = [], Received = [] }.Encode());
        foreach (var (number, segment) in waiting.Chunk(Mailbox.SegmentSize).Index())
        {
            yield return (SessionKeys.Segment(clientId, number), MailboxSegmentRecord.Encode(segment.Select(offset => new MessageReference(offset, 0, 1)).ToArray(), SourceOfLink));
        }
    }

    private void AddSession(string clientId, long[] waiting)
    {
        foreach (var (key, value) in Stored(clientId, waiting))
        {
            _loader.Add(new(key, value, 0));
        }
    }

    private List<Session> Load() => [.. _loader.CreateSessions(new(), Sources()).Select(each => each.Session)];

    private sealed class Lines : ILogger
    {
        public List<string> Warnings { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Warnings.Add(formatter(state, exception));
    }
}
