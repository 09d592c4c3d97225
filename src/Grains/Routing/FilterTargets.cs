namespace OrleansMqtt.Grains;

/// <summary>Who wants the topics of one filter: session partitions, and for each the routers that it has told so. Nearly every filter has one partition, so that one costs no list.</summary>
internal sealed class FilterTargets
{
    private int _first;
    private ulong _routersOfFirst;
    private List<(int Target, ulong Routers)>? _more;

    public bool IsEmpty => _routersOfFirst == 0 && _more is null;

    /// <summary>Whether one of the routers was told so.</summary>
    public bool Contains(int target, ulong router) => (RoutersOf(target) & router) != 0;

    /// <returns>Whether the target is a new one.</returns>
    public bool Add(int target, ulong router)
    {
        if (_routersOfFirst == 0 || _first == target)
        {
            var isNew = _routersOfFirst == 0;
            (_first, _routersOfFirst) = (target, _routersOfFirst | router);
            return isNew;
        }

        var at = _more?.FindIndex(each => each.Target == target) ?? -1;
        if (at < 0)
        {
            (_more ??= []).Add((target, router));
            return true;
        }

        _more![at] = (target, _more[at].Routers | router);
        return false;
    }

    /// <returns>Whether the target is gone with it.</returns>
    public bool Remove(int target, ulong router)
    {
        var before = RoutersOf(target);
        if (_first == target)
        {
            _routersOfFirst &= ~router;
            if (_routersOfFirst == 0 && _more is [.., var last])
            {
                (_first, _routersOfFirst) = last;
                RemoveMoreAt(_more.Count - 1);
            }
        }
        else if (_more?.FindIndex(each => each.Target == target) is >= 0 and var at)
        {
            var routers = _more[at].Routers & ~router;
            _more[at] = (target, routers);
            if (routers == 0)
            {
                RemoveMoreAt(at);
            }
        }

        return before == router;
    }

    /// <summary>Takes a router out of all.</summary>
    /// <returns>Whether a target is gone with it.</returns>
    public bool RemoveRouter(ulong router)
    {
        var hasChanged = false;
        for (var i = (_more?.Count ?? 0) - 1; i >= 0; i--)
        {
            hasChanged |= Remove(_more![i].Target, router);
        }

        return Remove(_first, router) || hasChanged;
    }

    public void AddTo(TargetSet set)
    {
        if (_routersOfFirst != 0)
        {
            set.Add(_first);
        }

        foreach (var (target, _) in _more ?? [])
        {
            set.Add(target);
        }
    }

    private ulong RoutersOf(int target) => _first == target ? _routersOfFirst : _more?.Find(each => each.Target == target).Routers ?? 0;

    private void RemoveMoreAt(int at)
    {
        _more!.RemoveAt(at);
        _more = _more.Count == 0 ? null : _more;
    }
}
