using Microsoft.Extensions.Logging;
using OrleansMqtt.Log;

namespace OrleansMqtt.Grains;

/// <summary>
/// A session partition's side of one router: how far it has come in that messages partition, and which changes of its filters the router still has to hear of. One call is on
/// its way at a time, and what changes meanwhile travels with the next. Used inside the turns of the partition's grain only.
/// </summary>
internal sealed partial class RouterLink(TopicPartitionId source, int index, int sessionPartition, long generation, IRouterGrain router, ILogger logger)
    : MessageSource(source, index)
{
    private readonly HashSet<string> _added = new(StringComparer.Ordinal);
    private readonly HashSet<string> _removed = new(StringComparer.Ordinal);
    private TaskCompletionSource<long>? _next;
    private bool _isUpdating;
    private bool _needsAll = true;
    private bool _hasChangedBesides;
    private long _version;

    /// <summary>The router's generation; 0 while unknown.</summary>
    public long RouterGeneration { get; private set; }

    /// <summary>The identity of the topic; empty when it is not known.</summary>
    public required Guid TopicId { get; init; }

    /// <summary>The next offset that is not delivered yet.</summary>
    public long Position { get; set; }

    /// <summary>The end of the source when this owner began: what lies before it an earlier owner may have delivered, so that QoS 0 is not delivered again.</summary>
    public long RecoveredTo { get; set; }

    /// <summary>While it reads from the log itself: where that ends, and what the router has sent meanwhile follows.</summary>
    public long CatchUpTo { get; set; }

    public bool IsCatchingUp { get; set; }

    /// <summary>Whether a router has got all filters once.</summary>
    public bool IsRouted { get; set; }

    /// <summary>What the router has sent while this side reads from the log itself.</summary>
    public KeptBatches Kept { get; } = new();

    /// <summary>All filters that the router has to know.</summary>
    public required Func<RouterLink, string[]> AllFilters { get; init; }

    /// <summary>Called with the offset from which on a router that has got all filters routes.</summary>
    public required Action<RouterLink, long> Routed { get; init; }

    /// <summary>Called when a later owner of the session partition has spoken to the router.</summary>
    public required Action Superseded { get; init; }

    public bool HasChanges => _hasChangedBesides || _added.Count + _removed.Count > 0;

    public void Add(string filter)
    {
        if (_needsAll)
        {
            // The next update has all filters of that moment: a partition that is loaded notes none of its own here.
            _hasChangedBesides = true;
        }
        else if (!_removed.Remove(filter))
        {
            _added.Add(filter);
        }
    }

    public void Remove(string filter)
    {
        if (_needsAll)
        {
            _hasChangedBesides = true;
        }
        else if (!_added.Remove(filter))
        {
            _removed.Add(filter);
        }
    }

    /// <summary>A router of this generation has no filters of ours.</summary>
    public void RouterStarted(long routerGeneration) => _needsAll |= routerGeneration != RouterGeneration;

    /// <summary>Completes when the router knows all that has changed up to now, with the end of its partition after that.</summary>
    public Task<long> UpdateAsync()
    {
        _next ??= new(TaskCreationOptions.RunContinuationsAsynchronously);
        var task = _next.Task;
        if (!_isUpdating)
        {
            Update().Ignore();
        }

        return task;
    }

    private async Task Update()
    {
        _isUpdating = true;
        while (_next is { } waiting)
        {
            _next = null;
            waiting.SetResult(await SendAsync());
        }

        _isUpdating = false;
    }

    private async Task<long> SendAsync()
    {
        var update = NextUpdate();
        for (var refusals = 0; ;)
        {
            try
            {
                var result = await router.UpdateIndex(update);
                if (result.IsApplied)
                {
                    RouterGeneration = result.RouterGeneration;
                    if (update.IsComplete)
                    {
                        Routed(this, result.Position);
                    }

                    return result.EndOffset;
                }

                if (++refusals == 3)
                {
                    Superseded();
                }

                _needsAll = true;
                update = NextUpdate();
            }
            catch (Exception exception)
            {
                LogUpdateFailed(exception, sessionPartition, Source);
                await Task.Delay(100);
            }
        }
    }

    private IndexUpdate NextUpdate()
    {
        IndexUpdate update = new()
        {
            SessionPartition = sessionPartition,
            Generation = generation,
            Version = ++_version,
            IsComplete = _needsAll,
            Added = _needsAll ? AllFilters(this) : [.. _added],
            Removed = _needsAll ? [] : [.. _removed],
            TopicId = TopicId,
        };
        _added.Clear();
        _removed.Clear();
        (_needsAll, _hasChangedBesides) = (false, false);
        return update;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Session partition {SessionPartition} could not tell router {Source} of its filters; it tries again")]
    private partial void LogUpdateFailed(Exception exception, int sessionPartition, TopicPartitionId source);
}
