namespace OrleansMqtt.Grains;

/// <summary>
/// Which session partitions want a topic: one tree of filters for all routers of a silo, because each of them has to know nearly all filters of the cluster. A router that has
/// not heard of a filter yet, or has of its end, may so match more than it was told: session partitions sort that out by the offsets from which their subscriptions count.
/// </summary>
/// <remarks>
/// Routers match at the same time, each a batch under one read lock; changes, which are rare, take the write lock for at most <see cref="ChangesAtOnce"/> filters. A filter stays
/// while any router was told of it, so that the order in which routers hear of changes does not matter.
/// </remarks>
internal sealed class SubscriptionIndex
{
    private const int ChangesAtOnce = 1_000;
    private readonly ReaderWriterLockSlim _lock = new();
    private readonly TopicFilterTree<FilterTargets> _tree = new();
    private ulong _routers;

    /// <summary>The number of different filters.</summary>
    public int Count => _tree.Count;

    /// <summary>Grows with each change of what is found; read under the read lock.</summary>
    public long Version { get; private set; }

    /// <summary>A place for one more router; null when there is none.</summary>
    public RouterIndex? TryOpen()
    {
        _lock.EnterWriteLock();
        try
        {
            if (~_routers == 0)
            {
                return null;
            }

            var router = ~_routers & (_routers + 1);
            _routers |= router;
            return new(this, router);
        }
        finally
        {
            _lock.ExitWriteLock();
        }
    }

    public void EnterRead() => _lock.EnterReadLock();

    public void ExitRead() => _lock.ExitReadLock();

    /// <summary>The targets of a topic, into a set; under the read lock.</summary>
    public void Match(string topic, List<FilterTargets> matches, TargetSet targets)
    {
        matches.Clear();
        _tree.Match(topic, matches);
        foreach (var match in matches)
        {
            match.AddTo(targets);
        }
    }

    public void Add(ulong router, int target, ReadOnlySpan<string> filters) => Change(filters, filter =>
    {
        if (!_tree.TryGet(filter, out var targets))
        {
            _tree.Set(filter, targets = new());
        }

        return targets.Add(target, router);
    });

    public void Remove(ulong router, int target, ReadOnlySpan<string> filters) =>
        Take(filters, targets => targets.Remove(target, router));

    /// <summary>The filters of which a target has told a router.</summary>
    public string[] FiltersOf(ulong router, int target) => Collect(targets => targets.Contains(target, router));

    /// <summary>Gives a router's place back.</summary>
    public void Close(ulong router)
    {
        Take(Collect(static _ => true), targets => targets.RemoveRouter(router));
        _lock.EnterWriteLock();
        _routers &= ~router;
        _lock.ExitWriteLock();
    }

    /// <summary>Takes something out of the targets of filters, and the filters out that have none left.</summary>
    private void Take(ReadOnlySpan<string> filters, Func<FilterTargets, bool> take) => Change(filters, filter =>
    {
        if (!_tree.TryGet(filter, out var targets))
        {
            return false;
        }

        var hasChanged = take(targets);
        if (targets.IsEmpty)
        {
            _tree.Remove(filter);
        }

        return hasChanged;
    });

    private string[] Collect(Func<FilterTargets, bool> condition)
    {
        _lock.EnterReadLock();
        try
        {
            return [.. _tree.Entries.Where(entry => condition(entry.Value)).Select(entry => entry.Filter)];
        }
        finally
        {
            _lock.ExitReadLock();
        }
    }

    private void Change(ReadOnlySpan<string> filters, Func<string, bool> change)
    {
        while (!filters.IsEmpty)
        {
            var some = filters[..Math.Min(filters.Length, ChangesAtOnce)];
            _lock.EnterWriteLock();
            try
            {
                var hasChanged = false;
                foreach (var filter in some)
                {
                    hasChanged |= change(filter);
                }

                Version += hasChanged ? 1 : 0;
            }
            finally
            {
                _lock.ExitWriteLock();
            }

            filters = filters[some.Length..];
        }
    }
}
