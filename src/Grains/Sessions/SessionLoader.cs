using Microsoft.Extensions.Logging;
using OrleansMqtt.Storage.Kafka;

namespace OrleansMqtt.Grains;

/// <summary>Gathers what the sessions topic holds of a partition, while its store is opened.</summary>
internal sealed partial class SessionLoader(ILogger logger)
{
    private readonly Dictionary<string, Parts> _clients = new(StringComparer.Ordinal);

    public PositionsRecord? Positions { get; private set; }

    /// <summary>The session records, for the grain storage.</summary>
    public IEnumerable<StoreEntry> Records => _clients.Values.Where(parts => parts.Record is not null).Select(parts => parts.Record!.Value);

    /// <summary>Clients of which something is stored, but no session: what a clean session leaves when its server dies.</summary>
    public IEnumerable<string> Orphans => _clients.Where(client => client.Value is { Record: null, Group: null }).Select(client => client.Key);

    /// <summary>Takes an entry, for <see cref="PartitionStore.OpenAsync"/>.</summary>
    public void Add(StoreEntry entry)
    {
        var (clientId, suffix) = SessionKeys.Split(entry.Key);
        if (clientId.Length == 0)
        {
            Positions = PositionsRecord.Decode(entry.Value.Span);
            return;
        }

        if (!_clients.TryGetValue(clientId, out var parts))
        {
            _clients.Add(clientId, parts = new());
        }

        switch (suffix.IsEmpty ? (byte)0 : suffix.Span[0])
        {
            case 0:
                parts.Record = entry;
                break;
            case (byte)'d':
                parts.Delivery = entry.Value;
                break;
            case (byte)'m' when suffix.Length == 9:
                (parts.Segments ??= []).Add(SessionKeys.SegmentNumberOf(suffix.Span), entry.Value);
                break;
            case (byte)'c':
                parts.HasPresence = true;
                break;
            case (byte)'s':
                parts.Memberships = entry.Value;
                break;
            case (byte)'g':
                parts.Group = entry.Value;
                break;
            default:
                LogUnknown(clientId);
                break;
        }
    }

    /// <summary>The groups of shared subscriptions, each with its record and what waits for it.</summary>
    public IEnumerable<(Session Session, SharedGroupRecord Record)> CreateGroups(SourceNumbers sources)
    {
        foreach (var (name, parts) in _clients)
        {
            if (parts.Group is { } stored)
            {
                Session session = new(name, slot: -1);
                LoadDeliveries(session, parts, sources);
                yield return (session, SharedGroupRecord.Decode(stored.Span));
            }
        }
    }

    /// <summary>The memberships of a session.</summary>
    public StoredMembership[] MembershipsOf(string clientId) => _clients[clientId].Memberships is { } stored ? MembershipsRecord.Decode(stored.Span) : [];

    /// <summary>The sessions, each with its record.</summary>
    public IEnumerable<(Session Session, SessionRecord Record)> CreateSessions(SessionTable table, SourceNumbers sources)
    {
        foreach (var (clientId, parts) in _clients)
        {
            if (parts.Record is { } entry)
            {
                var record = SessionRecordCodec.Decode(entry.Value.Span);
                Session session = new(clientId, table.TakeSlot());
                session.Detach(record.Epoch);
                LoadDeliveries(session, parts, sources);
                yield return (session, record);
            }
        }
    }

    /// <summary>Adds what removes all that is stored of a client without a session.</summary>
    public void AddRemoval(string clientId, string topic, List<StoreRecord> records)
    {
        var parts = _clients[clientId];
        Remove(parts.HasPresence, SessionKeys.Presence(clientId));
        Remove(parts.Delivery is not null, SessionKeys.Delivery(clientId));
        Remove(parts.Memberships is not null, SessionKeys.Memberships(clientId));
        foreach (var (number, _) in parts.Segments ?? [])
        {
            Remove(true, SessionKeys.Segment(clientId, number));
        }

        void Remove(bool isThere, byte[] key)
        {
            if (isThere)
            {
                records.Add(new(topic, new() { Key = key, Value = null }));
            }
        }
    }

    private static void LoadDeliveries(Session session, Parts parts, SourceNumbers sources)
    {
        List<MessageReference> references = [];
        foreach (var (number, value) in parts.Segments ?? [])
        {
            references.Clear();
            foreach (var (source, offset, qos, retain) in MailboxSegmentRecord.Decode(value.Span))
            {
                // A partition that is not read any more keeps its place in the count; its messages are out of reach.
                references.Add(new(offset, sources.LinkOf(source) is >= 0 and var link ? (ushort)link : ushort.MaxValue, qos, retain));
            }

            session.Mailbox.Load(number, references.ToArray());
        }

        if (parts.Delivery is not { } stored)
        {
            return;
        }

        var delivery = DeliveryRecord.Decode(stored.Span);
        session.HasDeliveryRecord = true;
        session.WillPublished = delivery.WillPublished;
        session.MatchedBefore = sources.ByLink(delivery.Matched);
        session.Mailbox.SetHead(delivery.MailboxHead);
        session.Window.LastPacketId = delivery.LastPacketId;
        foreach (var (packetId, source, offset, qos, isReleased, retain) in delivery.Inflight)
        {
            if (sources.LinkOf(source) is >= 0 and var link)
            {
                session.Window.Load(packetId, new(offset, (ushort)link, qos, retain), isReleased);
            }
        }

        session.Retained = RetainedBacklog.Load(delivery.Retained, sources);
        session.Received = delivery.Received.Length == 0 ? null : [.. delivery.Received];
    }

    [LoggerMessage(LogLevel.Warning, "The sessions topic holds a record of client {ClientId} that this version does not know; it is left alone")]
    private partial void LogUnknown(string clientId);

    private sealed class Parts
    {
        public StoreEntry? Record { get; set; }

        public ReadOnlyMemory<byte>? Delivery { get; set; }

        public ReadOnlyMemory<byte>? Memberships { get; set; }

        public ReadOnlyMemory<byte>? Group { get; set; }

        public SortedDictionary<long, ReadOnlyMemory<byte>>? Segments { get; set; }

        public bool HasPresence { get; set; }
    }
}
