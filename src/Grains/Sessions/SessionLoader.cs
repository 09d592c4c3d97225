using System.Text.Unicode;
using Microsoft.Extensions.Logging;
using OrleansMqtt.Storage.Kafka;

namespace OrleansMqtt.Grains;

/// <summary>
/// Gathers what the sessions topic holds of a partition, while its store is opened. A record that cannot be read (another program wrote it, a later version, or it is damaged) keeps
/// nothing else from being loaded: it is told of, counted and left alone.
/// </summary>
internal sealed partial class SessionLoader(ILogger logger)
{
    // No mailbox of ours comes there, and offsets of its references still fit.
    private const long GreatestSegment = 1L << 48;

    // No message of MQTT has as many parts.
    private const int GreatestPart = 4096;

    // A reference that leads nowhere: it keeps the place of one that is lost.
    private static readonly MessageReference Lost = new(0, ushort.MaxValue, 0);

    private readonly Dictionary<string, Parts> _clients = new(StringComparer.Ordinal);

    private delegate T Decoder<out T>(ReadOnlySpan<byte> bytes);

    public PositionsRecord? Positions { get; private set; }

    /// <summary>The session records, for the grain storage.</summary>
    public IEnumerable<StoreEntry> Records => _clients.Values.Where(parts => parts.Record is not null).Select(parts => parts.Entry);

    /// <summary>Clients of which something is stored, but no session: what a clean session leaves when its server dies.</summary>
    public IEnumerable<string> Orphans => _clients.Where(client => client.Value is { Record: null, Group: null, IsUnreadable: false }).Select(client => client.Key);

    /// <summary>The keys of what is stored of clients whose session cannot be read, beside it.</summary>
    public IEnumerable<(string ClientId, List<byte[]> Keys)> Leftovers =>
        _clients.Where(client => client.Value.IsUnreadable).Select(client => (client.Key, KeysOf(client.Key, client.Value, withPresence: false)));

    /// <summary>Takes an entry, for <see cref="PartitionStore.OpenAsync"/>.</summary>
    public void Add(StoreEntry entry)
    {
        if (entry.Key.Span.SequenceEqual(SessionKeys.Positions))
        {
            Positions = TryDecode(entry.Key, entry.Value, PositionsRecord.Decode);
            return;
        }

        var (clientId, suffix) = SessionKeys.Split(entry.Key);
        var isSession = !entry.Key.Span.Contains((byte)0);
        var idBytes = isSession ? entry.Key : entry.Key[..^(suffix.Length + 1)];
        if (idBytes.IsEmpty || !Utf8.IsValid(idBytes.Span) || (!isSession && !IsKnown(suffix.Span)))
        {
            OnUnreadable(entry.Key, "it has an unknown key");
            return;
        }

        if (!_clients.TryGetValue(clientId, out var parts))
        {
            _clients.Add(clientId, parts = new());
        }

        if (isSession)
        {
            parts.Entry = entry;
            parts.Record = TryDecode(entry.Key, entry.Value, DecodeSession);
            parts.IsUnreadable = parts.Record is null;
            return;
        }

        switch (suffix.Span[0])
        {
            case (byte)'d':
                parts.Delivery = entry.Value;
                break;
            case (byte)'m':
                (parts.Segments ??= []).Add(SessionKeys.SegmentNumberOf(suffix.Span), entry.Value);
                break;
            case (byte)'r':
                var (packetId, part) = SessionKeys.CopyOf(suffix.Span);
                ((parts.Copies ??= []).GetValueOrDefault(packetId) ?? (parts.Copies[packetId] = [])).Add(part, entry.Offset);
                break;
            case (byte)'s':
                parts.Memberships = entry.Value;
                break;
            case (byte)'g':
                parts.Group = entry.Value;
                break;
            default:
                parts.HasPresence = true;
                break;
        }
    }

    /// <summary>The groups of shared subscriptions, each with its record and what waits for it.</summary>
    public IEnumerable<(Session Session, SharedGroupRecord Record)> CreateGroups(SourceNumbers sources)
    {
        foreach (var (name, parts) in _clients)
        {
            if (parts.Group is { } stored && TryDecode(SessionKeys.Group(name), stored, SharedGroupRecord.Decode) is { } record)
            {
                Session session = new(name, slot: -1);
                LoadDeliveries(session, parts, sources);
                yield return (session, record);
            }
        }
    }

    /// <summary>The memberships of a session.</summary>
    public StoredMembership[] MembershipsOf(string clientId) =>
        _clients[clientId].Memberships is { } stored ? TryDecode(SessionKeys.Memberships(clientId), stored, MembershipsRecord.Decode) ?? [] : [];

    /// <summary>The sessions, each with its record.</summary>
    public IEnumerable<(Session Session, SessionRecord Record)> CreateSessions(SessionTable table, SourceNumbers sources)
    {
        foreach (var (clientId, parts) in _clients)
        {
            if (parts.Record is { } record)
            {
                Session session = new(clientId, table.TakeSlot());
                session.Detach(record.Epoch);
                LoadDeliveries(session, parts, sources);
                yield return (session, record);
            }
        }
    }

    /// <summary>The session of a client that is not stored itself, with what is stored of its deliveries.</summary>
    public Session Create(string clientId, SessionTable table, SourceNumbers sources)
    {
        Session session = new(clientId, table.TakeSlot());
        if (_clients.TryGetValue(clientId, out var parts) && parts is { Record: null, Group: null, IsUnreadable: false })
        {
            LoadDeliveries(session, parts, sources);
        }

        return session;
    }

    /// <summary>Adds what removes all that is stored of a client without a session.</summary>
    public void AddRemoval(string clientId, string topic, List<StoreRecord> records) =>
        records.AddRange(KeysOf(clientId, _clients[clientId], withPresence: true).Select(key => new StoreRecord(topic, new() { Key = key, Value = null })));

    private static bool IsKnown(ReadOnlySpan<byte> suffix) => suffix switch
    {
        [(byte)'d'] or [(byte)'c'] or [(byte)'s'] or [(byte)'g'] => true,
        [(byte)'r', _, _, _, _, _, _] => SessionKeys.CopyOf(suffix).Part is >= 0 and < GreatestPart,
        [(byte)'m', _, _, _, _, _, _, _, _] => SessionKeys.SegmentNumberOf(suffix) is >= 0 and < GreatestSegment,
        _ => false,
    };

    private static List<byte[]> KeysOf(string clientId, Parts parts, bool withPresence)
    {
        List<byte[]> keys = [.. (parts.Segments ?? []).Keys.Select(number => SessionKeys.Segment(clientId, number))];
        foreach (var (packetId, copy) in parts.Copies ?? [])
        {
            keys.AddRange(copy.Keys.Select(part => SessionKeys.Copy(clientId, packetId, part)));
        }

        if (parts.Delivery is not null)
        {
            keys.Add(SessionKeys.Delivery(clientId));
        }

        if (parts.Memberships is not null)
        {
            keys.Add(SessionKeys.Memberships(clientId));
        }

        if (withPresence && parts.HasPresence)
        {
            keys.Add(SessionKeys.Presence(clientId));
        }

        return keys;
    }

    private static SessionRecord DecodeSession(ReadOnlySpan<byte> bytes)
    {
        var record = SessionRecordCodec.Decode(bytes);
        return record.Subscriptions.TrueForAll(each => TopicFilter.IsValid(each.Subscription.Filter))
            ? record
            : throw new InvalidDataException("A record of the sessions topic has a topic filter that is none.");
    }

    private void LoadDeliveries(Session session, Parts parts, SourceNumbers sources)
    {
        var delivery = parts.Delivery is { } stored ? TryDecode(SessionKeys.Delivery(session.ClientId), stored, DeliveryRecord.Decode) : null;
        session.HasDeliveryRecord = parts.Delivery is not null;
        if (parts.Segments is { } segments)
        {
            LoadMailbox(session, segments, delivery?.MailboxHead, sources);
        }

        session.Mailbox.SetHead(delivery?.MailboxHead ?? 0);
        if (delivery is null)
        {
            LoadCopies(session, parts.Copies, sources);
            return;
        }

        session.WillPublished = delivery.WillPublished;
        session.MatchedBefore = sources.ByLink(delivery.Matched);
        session.Window.LastPacketId = delivery.LastPacketId;
        foreach (var (packetId, source, offset, qos, isReleased, retain) in delivery.Inflight)
        {
            var link = sources.LinkOf(source, offset);
            if (link < 0 && !isReleased)
            {
                GrainInstruments.Dropped.Add(1, GrainInstruments.Removed);
            }
            else if (session.Window.Find(packetId) is null)
            {
                // A PUBREL needs no message: it is sent again wherever that was ([MQTT-4.4.0-1]).
                session.Window.Load(packetId, new(offset, link < 0 ? ushort.MaxValue : (ushort)link, qos, retain), isReleased);
            }
        }

        LoadCopies(session, parts.Copies, sources);
        session.Retained = RetainedBacklog.Load(delivery.Retained, sources);
        session.Received = delivery.Received.Length == 0 ? null : [.. delivery.Received];
    }

    private static void LoadCopies(Session session, Dictionary<ushort, SortedDictionary<int, long>>? copies, SourceNumbers sources)
    {
        if (copies is null)
        {
            return;
        }

        session.Copies = new();
        foreach (var (packetId, parts) in copies)
        {
            var reference = session.Window.Find(packetId) is { } inflight && inflight.Reference.Link >= sources.FirstRetained ? inflight.Reference : (MessageReference?)null;
            session.Copies.Load(packetId, reference, new(parts.Values.Min(), parts.Values.Max() + 1, parts.Keys.Last() + 1));
        }
    }

    /// <summary>Loads the segments, which follow each other from the head on; what cannot be read keeps its place.</summary>
    private void LoadMailbox(Session session, SortedDictionary<long, ReadOnlyMemory<byte>> segments, long? head, SourceNumbers sources)
    {
        var next = head is { } known ? known / Mailbox.SegmentSize : segments.Keys.First();
        List<MessageReference> references = [];
        foreach (var (number, value) in segments)
        {
            var key = SessionKeys.Segment(session.ClientId, number);
            if (number != next)
            {
                OnUnreadable(key, "it does not follow the others of its mailbox");
                continue;
            }

            next++;
            references.Clear();
            foreach (var (source, offset, qos, retain) in TryDecode(key, value, DecodeSegment) ?? [])
            {
                // A partition that is not read any more keeps its place in the count; its messages are out of reach.
                references.Add(new(offset, sources.LinkOf(source, offset) is >= 0 and var link ? (ushort)link : ushort.MaxValue, qos, retain));
            }

            // All are full but the last.
            var least = references.Count == 0 || segments.ContainsKey(next) ? Mailbox.SegmentSize : 0;
            while (references.Count < least)
            {
                references.Add(Lost);
            }

            session.Mailbox.Load(number, references.ToArray());
        }
    }

    private static (int Source, long Offset, byte QoS, bool Retain)[] DecodeSegment(ReadOnlySpan<byte> bytes) =>
        MailboxSegmentRecord.Decode(bytes) is { Length: <= Mailbox.SegmentSize } references
            ? references
            : throw new InvalidDataException("A record of the sessions topic has more references than a segment.");

    private T? TryDecode<T>(ReadOnlyMemory<byte> key, ReadOnlyMemory<byte> value, Decoder<T> decode)
        where T : class
    {
        try
        {
            return decode(value.Span);
        }
        catch (Exception exception) when (exception is InvalidDataException or OverflowException or IndexOutOfRangeException or ArgumentException)
        {
            OnUnreadable(key, exception.Message);
            return null;
        }
    }

    private void OnUnreadable(ReadOnlyMemory<byte> key, string reason)
    {
        GrainInstruments.Unreadable.Add(1);
        LogUnreadable(SessionKeys.Describe(key), reason);
    }

    [LoggerMessage(LogLevel.Warning, "The sessions topic holds a record of key {Key} that cannot be read and is left alone: {Reason}")]
    private partial void LogUnreadable(string key, string reason);

    private sealed class Parts
    {
        public StoreEntry Entry { get; set; }

        /// <summary>The session; null when there is none.</summary>
        public SessionRecord? Record { get; set; }

        /// <summary>Whether there is a session that cannot be read.</summary>
        public bool IsUnreadable { get; set; }

        public ReadOnlyMemory<byte>? Delivery { get; set; }

        public ReadOnlyMemory<byte>? Memberships { get; set; }

        public ReadOnlyMemory<byte>? Group { get; set; }

        public SortedDictionary<long, ReadOnlyMemory<byte>>? Segments { get; set; }

        /// <summary>The offsets of the parts of each retained message that is in flight, by packet identifier.</summary>
        public Dictionary<ushort, SortedDictionary<int, long>>? Copies { get; set; }

        public bool HasPresence { get; set; }
    }
}
