namespace OrleansMqtt.Grains;

/// <summary>A router's place in a <see cref="SubscriptionIndex"/>, and what it has found there lately. Used inside the turns of the router alone.</summary>
internal sealed class RouterIndex(SubscriptionIndex index, ulong router) : IDisposable
{
    private const int MaximumKnownTopics = 16_384;

    /// <summary>Longer topics are not kept, so that what is kept stays small.</summary>
    private const int MaximumKnownLength = 512;
    private static readonly TargetSet None = new();
    private readonly Dictionary<string, TargetSet> _known = new(StringComparer.Ordinal);
    private readonly List<FilterTargets> _matches = [];
    private TargetSet _found = new();
    private long _version;

    /// <summary>Begins to match; no other call may be made before <see cref="End"/>.</summary>
    public void Begin()
    {
        index.EnterRead();
        if (_version != index.Version)
        {
            _known.Clear();
            _version = index.Version;
        }
    }

    public void End() => index.ExitRead();

    /// <summary>The targets of a topic; valid until the next one.</summary>
    public TargetSet Match(string topic)
    {
        if (_known.TryGetValue(topic, out var known))
        {
            return known;
        }

        _found.Clear();
        index.Match(topic, _matches, _found);
        if (topic.Length > MaximumKnownLength)
        {
            return _found;
        }

        if (_known.Count >= MaximumKnownTopics)
        {
            _known.Clear();
        }

        var targets = _found.IsEmpty ? None : _found;
        _known[topic] = targets;
        _found = _found.IsEmpty ? _found : new();
        return targets;
    }

    /// <summary>A session partition wants the topics of these filters, too.</summary>
    public void Add(int target, ReadOnlySpan<string> filters) => index.Add(router, target, filters);

    public void Remove(int target, ReadOnlySpan<string> filters) => index.Remove(router, target, filters);

    public void RemoveAll(int target) => index.Remove(router, target, index.FiltersOf(router, target));

    /// <summary>Takes all of the router's filters out. Takes as long as there are filters.</summary>
    public void Dispose() => index.Close(router);
}
