using Microsoft.Extensions.Logging;

namespace OrleansMqtt.Grains;

/// <summary>
/// Leases on their way to the members of one sessions partition, and what is known of that partition. One batch is on its way at a time, and what comes meanwhile makes the next.
/// Used inside the turns of the partition's grain only.
/// </summary>
internal sealed partial class LeaseOutbox(int partition, ISharedMembersGrain members, SharedGroups groups, ILogger logger)
{
    /// <summary>Offers that may wait; beyond it messages of QoS 0 are dropped. The others are bounded by the members' room.</summary>
    private const int MaximumPending = 16_384;

    private List<LeaseOffer> _offers = [];
    private List<LeaseOffer> _spare = [];
    private HashSet<SharedGroup> _unstored = [];
    private readonly BatchGathering _gathering = new();
    private long _batches;
    private long _resets;
    private bool _isSending;

    public int Partition { get; } = partition;

    /// <summary>The generation of the partition's owner; 0 until it has reported.</summary>
    public long Generation { get; set; }

    /// <summary>The last report of that owner.</summary>
    public long LastReport { get; set; }

    public bool IsCongested => _offers.Count >= MaximumPending;

    /// <summary>Adds an offer; one for a member that has little else to do waits for no others.</summary>
    public void Add(in LeaseOffer offer, bool isAwaited)
    {
        _offers.Add(offer);
        if (isAwaited)
        {
            _gathering.NoteAwaited();
        }
    }

    /// <summary>The group has to be stored as it is now before what was added is offered.</summary>
    public void StoreFirst(SharedGroup group) => _unstored.Add(group);

    /// <summary>What was offered or waits is settled otherwise.</summary>
    public void Reset()
    {
        _offers.Clear();
        _unstored.Clear();
        _resets++;
    }

    /// <summary>Sends what waits, unless a batch is on its way; then it follows.</summary>
    public void Flush()
    {
        if (!_isSending && _offers.Count > 0)
        {
            Send().Ignore();
        }
    }

    private async Task Send()
    {
        _isSending = true;
        while (_offers.Count > 0)
        {
            _gathering.Begin();
            var (offers, resets) = (_offers, _resets);
            _offers = _spare;
            _spare = [];
            if (_unstored.Count > 0)
            {
                var unstored = _unstored;
                _unstored = [];
                if (!await groups.StoreAsync(unstored))
                {
                    // The partition has a later owner, or ends: its groups go on there.
                    return;
                }
            }

            if (resets == _resets)
            {
                await Send(offers, resets);
            }

            var count = offers.Count;
            offers.Clear();
            _spare = offers;
            await _gathering.PauseAsync(count);
        }

        _isSending = false;
    }

    private async Task Send(List<LeaseOffer> offers, long resets)
    {
        LeaseBatch batch = new()
        {
            GroupPartition = groups.Partition,
            Generation = groups.Generation,
            MemberGeneration = Generation,
            LastReport = LastReport,
            Sequence = ++_batches,
            Sources = groups.Sources,
            Offers = offers,
        };
        GrainInstruments.Leased.Add(offers.Count);
        while (resets == _resets)
        {
            try
            {
                var refused = await members.TakeLeases(batch);
                if (resets == _resets)
                {
                    groups.Answered(offers, refused);
                }

                return;
            }
            catch (Exception exception)
            {
                LogFailed(exception, groups.Partition, Partition);
                await Task.Delay(100);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Session partition {SessionPartition} could not hand messages of shared subscriptions to partition {Members}; it tries again")]
    private partial void LogFailed(Exception exception, int sessionPartition, int members);
}
