namespace OrleansMqtt.Grains;

/// <summary>Which session partitions want a topic: the filters of all of them in one tree. The result for a topic is kept until the filters change.</summary>
internal sealed class SubscriptionIndex
{
    private const int MaximumKnownTopics = 16_384;

    /// <summary>Longer topics are not kept, so that what is kept stays small.</summary>
    private const int MaximumKnownLength = 512;
    private readonly TopicFilterTree<TargetSet> _tree = new();
    private readonly Dictionary<string, TargetSet> _known = new(StringComparer.Ordinal);
    private readonly List<TargetSet> _matches = [];
    private static readonly TargetSet None = new();

    /// <summary>The number of different filters.</summary>
    public int Count => _tree.Count;

    public void Add(string filter, int target)
    {
        if (!_tree.TryGet(filter, out var set))
        {
            _tree.Set(filter, set = new());
        }

        set.Add(target);
        _known.Clear();
    }

    public void Remove(string filter, int target)
    {
        if (_tree.TryGet(filter, out var set))
        {
            set.Remove(target);
            if (set.IsEmpty)
            {
                _tree.Remove(filter);
            }

            _known.Clear();
        }
    }

    /// <summary>The targets of a topic; valid until the next change.</summary>
    public TargetSet Match(string topic)
    {
        if (_known.TryGetValue(topic, out var known))
        {
            return known;
        }

        _matches.Clear();
        _tree.Match(topic, _matches);
        var targets = _matches.Count switch
        {
            0 => None,
            1 => _matches[0],
            _ => Union(),
        };
        if (topic.Length > MaximumKnownLength)
        {
            return targets;
        }

        if (_known.Count >= MaximumKnownTopics)
        {
            _known.Clear();
        }

        _known[topic] = targets;
        return targets;
    }

    private TargetSet Union()
    {
        TargetSet union = new();
        foreach (var set in _matches)
        {
            union.UnionWith(set);
        }

        return union;
    }
}
