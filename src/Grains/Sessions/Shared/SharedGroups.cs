using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using OrleansMqtt.Log;
using OrleansMqtt.Storage.Kafka;

namespace OrleansMqtt.Grains;

/// <summary>The groups of shared subscriptions that a sessions partition owns. Used inside the turns of the partition's grain only.</summary>
internal sealed partial class SharedGroups : ISharedGroupDispatch
{
    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(1);
    private readonly Dictionary<string, SharedGroup> _groups = new(StringComparer.Ordinal);
    private readonly LeaseTable _leases = new();
    private readonly HashSet<int> _unheard;
    private readonly List<SharedGroup> _touched = [];
    private readonly LeaseOutbox[] _outboxes;
    private readonly SharedGroupsContext _context;
    private readonly SourceNumbers _sourceNumbers;
    private readonly SubscriptionTable _subscriptions;
    private readonly SessionStore _store;
    private readonly SessionSender _sender;
    private readonly SessionDelivery _delivery;
    private readonly ILogger _logger;
    private long _lastLease;

    public SharedGroups(
        SharedGroupsContext context,
        SourceNumbers sourceNumbers,
        SubscriptionTable subscriptions,
        SessionStore store,
        SessionSender sender,
        SessionDelivery delivery,
        ILogger logger)
    {
        (_context, _sourceNumbers, _subscriptions, _store, _sender, _delivery, _logger) = (context, sourceNumbers, subscriptions, store, sender, delivery, logger);

        // A later owner's leases have greater numbers: its generation does.
        _lastLease = context.Generation;
        _unheard = [.. Enumerable.Range(0, context.Partitions)];
        _outboxes = [.. _unheard.Select(partition => new LeaseOutbox(partition, context.Members(partition), this, logger))];
    }

    public int Partition => _context.Partition;

    public long Generation => _context.Generation;

    public int MaximumQueued => _context.MaximumQueued;

    /// <summary>The messages partitions by link.</summary>
    public TopicPartitionId[] Sources => _context.Sources;

    /// <summary>Sends what was put together in this turn.</summary>
    public void Flush()
    {
        foreach (var outbox in _outboxes)
        {
            outbox.Flush();
        }
    }

    /// <summary>Takes a stored group; its members will report.</summary>
    public void Load(Session session, SharedGroupRecord record)
    {
        var group = Add(session);
        group.Starts = record.Starts;
        session.HasDeliveryRecord = true;
        session.MatchedBefore = _sourceNumbers.ByLink(record.Matched);
        session.Mailbox.SetHead(record.MailboxHead);
        _lastLease = Math.Max(_lastLease, record.LastLease);
        group.Load(
            record.Waiting.Select(Reference).OfType<MessageReference>(),
            [.. record.Open.Where(open => Reference(open.Message) is not null).Select(open => new DoubtfulLease(open.Number, open.ClientId, open.Member, Reference(open.Message)!.Value))]);
        _store.SetDurable(session, true);
        _subscriptions.Set(session, SubscriptionOf(group), new(_sourceNumbers.ByLink(record.Starts)));

        MessageReference? Reference(StoredReference stored) =>
            _sourceNumbers.LinkOf(stored.Source, stored.Offset) is >= 0 and var link ? new(stored.Offset, (ushort)link, stored.QoS) : null;
    }

    public ReportResult Report(GroupReport report)
    {
        var outbox = _outboxes[report.MemberPartition];
        if (report.Generation < outbox.Generation)
        {
            return new(ReportOutcome.Superseded, Generation);
        }

        if (!report.IsComplete && (report.OwnerGeneration != Generation || report.Generation != outbox.Generation))
        {
            return new(ReportOutcome.Incomplete, Generation);
        }

        if (report.Generation != outbox.Generation || report.Sequence > outbox.LastReport)
        {
            (outbox.Generation, outbox.LastReport) = (report.Generation, report.Sequence);
            Take(report, outbox);
        }

        return new(ReportOutcome.Accepted, Generation);
    }

    /// <summary>See <see cref="ISharedGroupOwnerGrain.WaitForStart"/>.</summary>
    public async ValueTask<bool> WaitForStart(string name, string clientId, long member)
    {
        if (!_groups.TryGetValue(name, out var group))
        {
            return false;
        }

        await group.Started;
        if (group.Find(clientId, member) is not { } found)
        {
            return false;
        }

        return !found.IsDurable || await StoreAsync([group]);
    }

    /// <summary>Stores groups as they are now, and tries again while the log refuses that; false when a later owner has the partition.</summary>
    public async Task<bool> StoreAsync(IReadOnlyCollection<SharedGroup> groups)
    {
        while (true)
        {
            List<StoreRecord> records = [];
            List<Session> stored = [];
            foreach (var group in groups)
            {
                if (group.Session is { IsDurable: true, IsEnded: false })
                {
                    _store.AddSession(group.Session, records);
                    stored.Add(group.Session);
                }
            }

            try
            {
                if (records.Count > 0)
                {
                    _store.AddPositionsOfFirst(records);
                    await _store.CommitAsync(records, stored);
                }

                return true;
            }
            catch (ArgumentException exception)
            {
                LogNotStored(exception, Partition);
                await Task.Delay(RetryPause);
            }
            catch (Exception exception)
            {
                LogNotStored(exception, Partition);
                return false;
            }
        }
    }

    /// <summary>Offers have arrived.</summary>
    public void Answered(List<LeaseOffer> offers, long[] refused)
    {
        HashSet<long>? numbers = refused.Length == 0 ? null : [.. refused];
        foreach (ref readonly var offer in CollectionsMarshal.AsSpan(offers))
        {
            if (numbers?.Contains(offer.Number) == true)
            {
                if (_leases.Find(offer.Number) is { } lease)
                {
                    lease.Group.Refuse(lease, offer.Epoch);
                    Touch(lease.Group);
                }
            }
            else if (offer is { QoS: 0, Number: > 0 } && _leases.Find(offer.Number) is { } given)
            {
                // Nobody acknowledges what is delivered at QoS 0.
                given.Group.End(given);
                Touch(given.Group);
            }
        }

        Finish();
    }

    public long NextLeaseNumber() => ++_lastLease;

    public bool Find(Session session, MessageReference reference, out MqttMessage? message) => _sender.Find(session, reference, out message);

    public void Offer(GroupLease lease, MqttMessage message)
    {
        var outbox = _outboxes[lease.Member.Partition];
        _leases.Add(lease);
        outbox.Add(
            new(lease.Number, lease.Member.Number, lease.Member.Slot, lease.Member.Epoch, lease.Reference.Link, lease.QoS, message, lease.IsRepeated, lease.Group.IsFilling),
            isAwaited: BatchGathering.IsHeldUp(lease.Member.MaximumLeases) && lease.Member.Leases - 1 <= lease.Member.MaximumLeases / 2);
        if (lease.QoS != 1 && lease.Group.Session.IsDurable)
        {
            // What may not be delivered twice is never offered to another member after a crash: it is stored who gets it, or that it is over.
            outbox.StoreFirst(lease.Group);
        }
    }

    public void Offer(GroupMember member, int link, MqttMessage message)
    {
        var outbox = _outboxes[member.Partition];
        if (outbox.IsCongested)
        {
            GrainInstruments.Dropped.Add(1, GrainInstruments.ConnectionSlow);
            return;
        }

        outbox.Add(new(0, member.Number, member.Slot, member.Epoch, link, 0, message), isAwaited: false);
    }

    public void Forget(GroupLease lease) => _leases.Remove(lease);

    public void MarkDirty(SharedGroup group) => _store.MarkDirty(group.Session);

    private static Subscription SubscriptionOf(SharedGroup group) => new() { Filter = SharedFilter.TopicFilterOf(group.Name), MaximumQoS = 2 };

    private void Take(GroupReport report, LeaseOutbox outbox)
    {
        if (report.IsComplete)
        {
            outbox.Reset();
            foreach (var group in _groups.Values)
            {
                group.LoseLeases(outbox.Partition);
                Touch(group);
            }
        }

        foreach (var (number, kind) in CollectionsMarshal.AsSpan(report.Ends))
        {
            if (_leases.Find(number) is { } lease)
            {
                Settle(lease, kind);
            }
        }

        foreach (var change in report.Changes)
        {
            Apply(change, outbox.Partition);
        }

        if (report.IsComplete)
        {
            _unheard.Remove(outbox.Partition);
            foreach (var group in _groups.Values)
            {
                group.SettleMembers(outbox.Partition, _context.PartitionOf);
                Touch(group);
            }
        }

        Finish();
    }

    private void Settle(GroupLease lease, LeaseEndKind kind)
    {
        var group = lease.Group;
        switch (kind)
        {
            case LeaseEndKind.Ended:
                group.End(lease);
                break;
            case LeaseEndKind.GivenBack:
                group.TakeBack(lease);
                break;
            case LeaseEndKind.Taken:
                group.HandOver(lease);
                break;
        }

        Touch(group);
    }

    private void Apply(MemberChange change, int partition)
    {
        if (!_groups.TryGetValue(change.Group, out var group))
        {
            if (change.HasLeft)
            {
                return;
            }

            group = Add(new(change.Group, slot: -1));
            group.Started = Start(group);
        }

        group.Apply(change, partition);
        Touch(group);
    }

    private SharedGroup Add(Session session)
    {
        SharedGroup group = new(session.ClientId, session, this);
        session.Group = group;
        _groups.Add(group.Name, group);
        GrainInstruments.Groups.Add(1);
        return group;
    }

    /// <summary>Tells the routers of the filter, and delivers what matched meanwhile and counts.</summary>
    private async Task Start(SharedGroup group)
    {
        SubscriptionStart start = new();
        var subscription = SubscriptionOf(group);
        _subscriptions.Set(group.Session, subscription, start);
        var ends = await _subscriptions.UpdateRouters([subscription]);
        group.Starts = _sourceNumbers.ByNumber(ends);
        foreach (var held in start.Resolve(ends))
        {
            if (start.Includes(held.Link, held.Message.Offset))
            {
                _delivery.DeliverHeld(held);
            }
        }

        MarkDirty(group);
        _sender.Flush();
    }

    private void Touch(SharedGroup group)
    {
        if (!group.IsTouched)
        {
            group.IsTouched = true;
            _touched.Add(group);
        }
    }

    /// <summary>Goes on with the groups to which something has happened.</summary>
    private void Finish()
    {
        foreach (var group in _touched)
        {
            group.IsTouched = false;
            if (!group.IsEmpty)
            {
                // While not all partitions have named their members, a stored group stays stored.
                _store.SetDurable(group.Session, group.HasDurable || (group.Session.IsDurable && _unheard.Count > 0));
                MarkDirty(group);
                group.Pump();
            }
            else if (_unheard.Count == 0)
            {
                Remove(group);
            }
        }

        _touched.Clear();
        _sender.Flush();
    }

    private void Remove(SharedGroup group)
    {
        var session = group.Session;
        group.Dissolve();
        _groups.Remove(group.Name);
        _subscriptions.RemoveAll(session);
        _subscriptions.TellRouters();
        List<StoreRecord> records = [];
        _store.AddRemoval(session, records);
        _store.SetDurable(session, false);
        GrainInstruments.Groups.Add(-1);
        if (records.Count > 0)
        {
            _store.CommitAsync(records).Ignore();
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Session partition {SessionPartition} could not store shared subscriptions; what depends on it is not delivered")]
    private partial void LogNotStored(Exception exception, int sessionPartition);
}
