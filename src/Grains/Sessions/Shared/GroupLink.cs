using Microsoft.Extensions.Logging;
using OrleansMqtt.Log;

namespace OrleansMqtt.Grains;

/// <summary>
/// The members' side of a partition of groups: what has to be told to it. One report is on its way at a time, and what comes meanwhile makes the next. Used inside the turns of the
/// partition's grain only.
/// </summary>
internal sealed partial class GroupLink(int groupPartition, int sessionPartition, long generation, ISharedGroupOwnerGrain owner, ILogger logger)
{
    private List<LeaseEnd> _ends = [];
    private List<LeaseEnd> _spareEnds = [];
    private List<MemberChange> _changes = [];
    private TaskCompletionSource? _next;
    private readonly BatchGathering _gathering = new();
    private long _reports;
    private long _newestOwner;
    private readonly Dictionary<long, Membership> _memberships = [];
    private TopicPartitionId[] _sources = [];
    private RouterLink?[] _sourceLinks = [];
    private bool _needsAll = true;
    private bool _isSending;

    /// <summary>The members whose groups are there.</summary>
    public IReadOnlyCollection<Membership> Memberships => _memberships.Values;

    /// <summary>The generation of the groups' owner that knows the members; 0 while none does.</summary>
    public long OwnerGeneration { get; private set; }

    /// <summary>The last batch of leases, and what of it was refused, in case it comes again.</summary>
    public (long Generation, long Sequence, long[] Refused) LastLeases { get; set; }

    /// <summary>The last complete report: with it all leases of before became void, also those that are still on their way here.</summary>
    public long LastComplete { get; private set; }

    /// <summary>Called when the groups' owner is another one: its leases of before are void.</summary>
    public required Action<GroupLink> OwnerLost { get; init; }

    /// <summary>Called when a later owner of the members' partition has reported.</summary>
    public required Action Superseded { get; init; }

    /// <summary>
    /// Whether a batch was made with the last complete report known. That settles what was leased before: what an earlier owner took of it, and what did not wait here any more then.
    /// Taken later, a lease would hide earlier ones.
    /// </summary>
    public bool IsCurrent(LeaseBatch batch) => batch.MemberGeneration == generation && batch.LastReport >= LastComplete;

    /// <summary>The links of the messages partitions of a batch; null for one that is not known here. They are the same in all batches of an owner.</summary>
    public ReadOnlySpan<RouterLink?> ResolveSources(TopicPartitionId[] sources, IReadOnlyDictionary<TopicPartitionId, RouterLink> links)
    {
        if (!ReferenceEquals(sources, _sources) && !sources.AsSpan().SequenceEqual(_sources))
        {
            _sourceLinks = Array.ConvertAll(sources, source => links.GetValueOrDefault(source));
        }

        _sources = sources;
        return _sourceLinks;
    }

    public void Add(Membership membership) => _memberships.Add(membership.Number, membership);

    public void Remove(Membership membership) => _memberships.Remove(membership.Number);

    /// <summary>The membership of a number; null when it is over.</summary>
    public Membership? Find(long number) => _memberships.GetValueOrDefault(number);

    /// <summary>
    /// Whether the member has taken a message of QoS 2 already. Only this side knows that, so an offer is refused after this alone: what is refused goes to another member. A message
    /// that may have been taken for a membership that is over has ended with it.
    /// </summary>
    public bool HasTaken(in LeaseOffer offer) => offer.QoS == 2 && (Find(offer.Member) is { } membership ? offer.Number <= membership.LastTaken : offer.IsRepeated);

    /// <summary>A lease is over, or the session's own.</summary>
    /// <param name="number">The lease.</param>
    /// <param name="kind">How.</param>
    /// <param name="isAwaited">Whether the client gets nothing more before the group hears of it: nothing waits for others then.</param>
    public void End(long number, LeaseEndKind kind, bool isAwaited)
    {
        _ends.Add(new(number, kind));
        if (isAwaited)
        {
            _gathering.NoteAwaited();
        }
    }

    public void Change(MemberChange change) => _changes.Add(change);

    /// <summary>An owner of the groups of this generation knows no member.</summary>
    public void OwnerStarted(long ownerGeneration) => _newestOwner = Math.Max(_newestOwner, ownerGeneration);

    /// <summary>Completes when the groups know all that has changed up to now.</summary>
    public Task ReportAsync()
    {
        _next ??= new(TaskCreationOptions.RunContinuationsAsynchronously);
        var task = _next.Task;
        Flush();
        return task;
    }

    /// <summary>Sends what waits, unless a report is on its way; then it follows.</summary>
    public void Flush()
    {
        if (!_isSending && HasPending)
        {
            Send().Ignore();
        }
    }

    /// <summary>See <see cref="ISharedGroupOwnerGrain.WaitForStart"/>.</summary>
    public async Task<bool> WaitForStartAsync(Membership membership)
    {
        while (true)
        {
            try
            {
                return await owner.WaitForStart(membership.Group, membership.Session.ClientId, membership.Number);
            }
            catch (Exception exception)
            {
                LogFailed(exception, sessionPartition, groupPartition);
                await Task.Delay(100);
            }
        }
    }

    private bool HasPending => _needsAll || _newestOwner > OwnerGeneration || _ends.Count + _changes.Count > 0 || _next is not null;

    private async Task Send()
    {
        _isSending = true;
        while (HasPending)
        {
            var waiting = _next;
            _next = null;
            var count = _ends.Count;
            _gathering.Begin();
            await SendNext();
            waiting?.SetResult();
            await _gathering.PauseAsync(count);
        }

        _isSending = false;
    }

    private async Task SendNext()
    {
        var report = NextReport();
        while (true)
        {
            try
            {
                var result = await owner.Report(report);
                switch (result.Outcome)
                {
                    case ReportOutcome.Accepted:
                        OwnerGeneration = result.OwnerGeneration;
                        report.Ends.Clear();
                        _spareEnds = report.Ends;
                        return;
                    case ReportOutcome.Superseded:
                        // Nothing is reported from here any more.
                        Superseded();
                        throw new OperationCanceledException();
                }

                _needsAll = true;
                report = NextReport();
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                LogFailed(exception, sessionPartition, groupPartition);
                await Task.Delay(100);
            }
        }
    }

    private GroupReport NextReport()
    {
        var isComplete = _needsAll || _newestOwner > OwnerGeneration;
        if (isComplete)
        {
            _needsAll = false;
            OwnerLost(this);
            _ends.Clear();
            _changes = [.. Memberships.Where(membership => membership.IsReported).Select(membership => membership.ToChange())];
        }

        _reports++;
        LastComplete = isComplete ? _reports : LastComplete;
        GroupReport report = new()
        {
            MemberPartition = sessionPartition,
            Generation = generation,
            OwnerGeneration = OwnerGeneration,
            Sequence = _reports,
            IsComplete = isComplete,
            Ends = _ends,
            Changes = _changes,
        };
        (_ends, _spareEnds, _changes) = (_spareEnds, [], []);
        return report;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Session partition {SessionPartition} could not reach the shared subscriptions of partition {Groups}; it tries again")]
    private partial void LogFailed(Exception exception, int sessionPartition, int groups);
}
