using Microsoft.Extensions.Logging;
using OrleansMqtt.Log;
using OrleansMqtt.Storage.Kafka;

namespace OrleansMqtt.Grains;

/// <summary>
/// Writes a partition's sessions to its part of the sessions topic. What changes often (mailboxes, what is in flight, positions) is written about once a second, and at once where
/// a guarantee needs it. Each record of a session holds by itself, so the sessions of a checkpoint need not be in one transaction; the positions follow them. Used inside the turns
/// of the partition's grain only.
/// </summary>
internal sealed partial class SessionStore(
    PartitionStore store, SourceNumbers sources, RouterLink[] links, SessionTable sessions, long generation, bool writesPresence, ILogger logger)
{
    private readonly string _topic = store.Partition.Topic;
    private readonly PresenceNotes _presence = new(store.Partition.Topic);
    private readonly Dictionary<string, List<byte[]>> _leftovers = new(StringComparer.Ordinal);

    // Sessions whose records the log did not take. While there are any, the positions stay where they are: behind them nothing would know what these sessions miss.
    private readonly HashSet<Session> _refused = [];
    private List<Session> _dirty = [];
    private long[] _storedPositions = [];

    /// <summary>Completes when the edges have taken what was sent to them before: until then the positions may not be stored as passed, for sessions of which nothing else is.</summary>
    public Func<Task> WhenDeliveriesTaken { get; set; } = static () => Task.CompletedTask;

    /// <summary>How many durable sessions there are, groups of shared subscriptions included.</summary>
    public int DurableSessions { get; private set; }

    public void SetDurable(Session session, bool isDurable)
    {
        if (session.IsDurable != isDurable)
        {
            DurableSessions += isDurable ? 1 : -1;
            session.IsDurable = isDurable;
        }
    }

    /// <summary>What is stored of a client whose session cannot be read is left alone, until a new session of that client is stored in its place.</summary>
    public void Leave(string clientId, List<byte[]> keys) => _leftovers.Add(clientId, keys);

    public void MarkDirty(Session session)
    {
        if (!session.IsDirty && IsStored(session))
        {
            session.IsDirty = true;
            _dirty.Add(session);
        }
    }

    /// <summary>Whether something of a session is stored: of one that ends with its connection only what waits, which a later owner cannot know.</summary>
    public static bool IsStored(Session session) => session.IsDurable || session.HasDeliveryRecord || HasWaiting(session);

    /// <summary>Adds what stores the session as it is now.</summary>
    public void AddSession(Session session, List<StoreRecord> records)
    {
        session.IsDirty = false;
        if (session.Group is { Starts: null })
        {
            // Where it begins is not known yet, and nothing of it is promised.
            return;
        }

        session.HasDeliveryRecord = true;
        AddLeftovers(session, records);
        session.Mailbox.Store(session.ClientId, _topic, sources.OfLinks, records);
        if (session.Group is { } group)
        {
            records.Add(new(_topic, new() { Key = SessionKeys.Group(group.Name), Value = RecordOf(group).Encode() }));
            return;
        }

        if (session is { IsDurable: true, Shares: { HasChanged: true } shares })
        {
            AddMemberships(session.ClientId, shares, records);
        }

        session.Copies?.Store(session.ClientId, session.Window, _topic, records);
        DeliveryRecord record = new()
        {
            WillPublished = session.WillPublished,
            LastPacketId = session.Window.LastPacketId,
            MailboxHead = session.Mailbox.Head,
            Matched = MatchedOf(session),
            Inflight = [.. session.Window.InOrder.Where(entry => session.Shares?.IsLeased(entry.PacketId) != true).Select(entry =>
                new StoredInflight(entry.PacketId, sources.NumberOf(entry.Message.Reference), entry.Message.Reference.Offset, entry.Message.Reference.QoS, entry.Message.IsReleased, entry.Message.Reference.Retain))],
            Received = session.Received is { } received ? [.. received] : [],
            Retained = session.Retained?.Store(sources) ?? [],
        };
        records.Add(new(_topic, new() { Key = SessionKeys.Delivery(session.ClientId), Value = record.Encode() }));
    }

    /// <summary>Adds what removes all that is stored of a session beside its own record.</summary>
    public void AddRemoval(Session session, List<StoreRecord> records)
    {
        AddLeftovers(session, records);
        session.Mailbox.RemoveStored(session.ClientId, _topic, records);
        session.Copies?.RemoveStored(session.ClientId, _topic, records);
        if (session.HasDeliveryRecord)
        {
            session.HasDeliveryRecord = false;
            records.Add(new(_topic, new() { Key = session.Group is null ? SessionKeys.Delivery(session.ClientId) : SessionKeys.Group(session.ClientId), Value = null }));
        }

        if (session.Shares is { HasRecord: true } shares)
        {
            shares.HasRecord = false;
            records.Add(new(_topic, new() { Key = SessionKeys.Memberships(session.ClientId), Value = null }));
        }
    }

    public void AddPositions(List<StoreRecord> records)
    {
        _storedPositions = [.. links.Select(link => link.Position)];
        records.Add(new(_topic, new() { Key = SessionKeys.Positions, Value = sources.Encode(generation, links) }));
    }

    /// <summary>The number of a link, for edges.</summary>
    public int NumberOf(RouterLink link) => sources.OfLinks[link.Index];

    /// <summary>Adds the positions if they were not kept up because there was no durable session.</summary>
    public void AddPositionsOfFirst(List<StoreRecord> records)
    {
        if (DurableSessions == 1)
        {
            AddPositions(records);
        }
    }

    /// <summary>Notes that a client has come or gone; written with the next checkpoint.</summary>
    public void NotePresence(Session session, bool isConnected, long at, string edge)
    {
        if (writesPresence)
        {
            _presence.Set(session.ClientId, PresenceRecord.Encode(isConnected, at, edge));
        }
    }

    /// <summary>Notes that a session has ended.</summary>
    public void NoteEnd(Session session, long at)
    {
        if (session.Edge is { } edge)
        {
            NotePresence(session, isConnected: false, at, edge.Edge.ToParsableString());
        }

        if (writesPresence)
        {
            _presence.End(session.ClientId);
        }
    }

    /// <exception cref="OwnerFencedException">A later owner has the partition.</exception>
    public Task<AppendResult[]> CommitAsync(List<StoreRecord> records) => store.CommitAsync(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(records));

    /// <summary>Commits records of sessions. When the log does not take one of them, none is stored, and each of the sessions is stored by itself with the next checkpoint.</summary>
    /// <exception cref="OwnerFencedException">A later owner has the partition.</exception>
    /// <exception cref="ArgumentException">The log does not take one of the records.</exception>
    public async Task CommitAsync(List<StoreRecord> records, IReadOnlyCollection<Session> stored)
    {
        try
        {
            NoteStored(records, await CommitAsync(records), stored);
        }
        catch (ArgumentException)
        {
            foreach (var session in stored)
            {
                NoteRefused(session);
            }

            throw;
        }
    }

    /// <summary>What was added of sessions is on the log.</summary>
    public static void NoteStored(List<StoreRecord> records, ReadOnlySpan<AppendResult> results, IReadOnlyCollection<Session> stored)
    {
        foreach (var session in stored)
        {
            session.Copies?.NoteStored(records, results);
        }
    }

    /// <summary>What was added of a session last was not stored.</summary>
    public void NoteRefused(Session session)
    {
        if (session.IsEnded)
        {
            return;
        }

        session.Mailbox.NoteRefused();
        session.Copies?.NoteRefused();
        if (session.Shares is { } shares)
        {
            shares.HasChanged = true;
        }

        _refused.Add(session);
        _storedPositions = [];
        MarkDirty(session);
    }

    private static bool HasWaiting(Session session) => session.Mailbox.Count > 0 || session.Retained is not null;

    private void AddLeftovers(Session session, List<StoreRecord> records)
    {
        if (_leftovers.Remove(session.ClientId, out var keys))
        {
            records.AddRange(keys.Select(key => new StoreRecord(_topic, new() { Key = key, Value = null })));
        }
    }

    private void AddMemberships(string clientId, SessionShares shares, List<StoreRecord> records)
    {
        var hasAny = shares.Memberships.Count > 0;
        if (hasAny || shares.HasRecord)
        {
            var value = hasAny ? MembershipsRecord.Encode([.. shares.Memberships.Select(each => new StoredMembership(each.Group, each.Number, each.LastTaken))]) : null;
            records.Add(new(_topic, new() { Key = SessionKeys.Memberships(clientId), Value = value }));
        }

        (shares.HasChanged, shares.HasRecord) = (false, hasAny);
    }

    private SharedGroupRecord RecordOf(SharedGroup group)
    {
        var (waiting, open) = group.Snapshot();
        return new()
        {
            Starts = group.Starts!,
            Matched = MatchedOf(group.Session),
            MailboxHead = group.Session.Mailbox.Head,
            LastLease = open.Count == 0 ? 0 : open.Max(lease => lease.Number),
            Waiting = [.. waiting.Select(Stored)],
            Open = [.. open.Select(lease => new StoredLease(lease.Number, lease.ClientId, lease.Member, Stored(lease.Reference)))],
        };

        StoredReference Stored(MessageReference reference) => new(sources.NumberOf(reference), reference.Offset, reference.QoS);
    }

    private SourceOffset[] MatchedOf(Session session)
    {
        var matched = new SourceOffset[links.Length];
        for (var i = 0; i < matched.Length; i++)
        {
            // While what it had from an earlier owner is read again, that reaches further than the link.
            matched[i] = new(sources.OfLinks[i], Math.Max(links[i].Position, session.MatchedBefore?[i] ?? 0));
        }

        return matched;
    }
}
