using System.Diagnostics.CodeAnalysis;

namespace OrleansMqtt.Grains;

/// <summary>
/// Values by topic filter, found by topic name: filters without a wildcard in one dictionary, those with wildcards in a tree of topic levels. Not thread-safe.
/// </summary>
internal sealed class TopicFilterTree<TValue>
    where TValue : class
{
    private readonly Dictionary<string, TValue> _exact = new(StringComparer.Ordinal);
    private readonly Node _root = new();

    /// <summary>The number of filters.</summary>
    public int Count { get; private set; }

    /// <summary>The filters and their values.</summary>
    public IEnumerable<(string Filter, TValue Value)> Entries
    {
        get
        {
            foreach (var (filter, value) in _exact)
            {
                yield return (filter, value);
            }

            foreach (var entry in EntriesBelow(_root, ""))
            {
                yield return entry;
            }
        }
    }

    public bool TryGet(string filter, [MaybeNullWhen(false)] out TValue value)
    {
        if (!TopicFilter.HasWildcard(filter))
        {
            return _exact.TryGetValue(filter, out value);
        }

        value = Find(filter)?.Value;
        return value is not null;
    }

    /// <summary>Sets the value of a filter.</summary>
    public void Set(string filter, TValue value)
    {
        if (!TopicFilter.HasWildcard(filter))
        {
            Count += _exact.ContainsKey(filter) ? 0 : 1;
            _exact[filter] = value;
            return;
        }

        var node = _root;
        foreach (var level in filter.AsSpan().Split('/'))
        {
            node = node.GetOrAdd(filter.AsSpan(level));
        }

        Count += node.Value is null ? 1 : 0;
        node.Value = value;
    }

    /// <summary>Removes a filter; false when it was not there.</summary>
    public bool Remove(string filter)
    {
        var removed = TopicFilter.HasWildcard(filter) ? Remove(_root, filter) : _exact.Remove(filter);
        Count -= removed ? 1 : 0;
        return removed;
    }

    /// <summary>Adds the values of all filters that match a topic name.</summary>
    public void Match(string topic, List<TValue> matches)
    {
        if (_exact.TryGetValue(topic, out var exact))
        {
            matches.Add(exact);
        }

        if (!_root.IsEmpty)
        {
            // A wildcard at the first level does not match topics of the server, which start with $ ([MQTT-4.7.2-1]).
            Match(_root, topic, matches, wildcards: topic[0] != '$');
        }
    }

    private static void Match(Node node, ReadOnlySpan<char> rest, List<TValue> matches, bool wildcards)
    {
        if (wildcards && node.MultiLevel?.Value is { } all)
        {
            matches.Add(all);
        }

        var slash = rest.IndexOf('/');
        var level = slash < 0 ? rest : rest[..slash];
        MatchChild(node.Find(level), slash, rest, matches);
        if (wildcards)
        {
            MatchChild(node.SingleLevel, slash, rest, matches);
        }
    }

    private static void MatchChild(Node? child, int slash, ReadOnlySpan<char> rest, List<TValue> matches)
    {
        if (child is null)
        {
            return;
        }

        if (slash >= 0)
        {
            Match(child, rest[(slash + 1)..], matches, wildcards: true);
            return;
        }

        if (child.Value is { } value)
        {
            matches.Add(value);
        }

        if (child.MultiLevel?.Value is { } all)
        {
            matches.Add(all);
        }
    }

    private static bool Remove(Node node, ReadOnlySpan<char> rest)
    {
        var slash = rest.IndexOf('/');
        var level = slash < 0 ? rest : rest[..slash];
        if (node.Find(level, wildcards: true) is not { } child)
        {
            return false;
        }

        bool removed;
        if (slash < 0)
        {
            removed = child.Value is not null;
            child.Value = null;
        }
        else
        {
            removed = Remove(child, rest[(slash + 1)..]);
        }

        if (removed && child.Value is null && child.IsEmpty)
        {
            node.Remove(level);
        }

        return removed;
    }

    private static IEnumerable<(string Filter, TValue Value)> EntriesBelow(Node node, string prefix)
    {
        foreach (var (level, child) in node.Children)
        {
            if (child.Value is { } value)
            {
                yield return (prefix + level, value);
            }

            foreach (var entry in EntriesBelow(child, prefix + level + "/"))
            {
                yield return entry;
            }
        }
    }

    private Node? Find(string filter)
    {
        Node? node = _root;
        foreach (var level in filter.AsSpan().Split('/'))
        {
            node = node?.Find(filter.AsSpan(level), wildcards: true);
        }

        return node;
    }

    private sealed class Node
    {
        private Dictionary<string, Node>? _levels;

        public TValue? Value { get; set; }

        public Node? SingleLevel { get; private set; }

        public Node? MultiLevel { get; private set; }

        public bool IsEmpty => _levels is null && SingleLevel is null && MultiLevel is null;

        public IEnumerable<(string Level, Node Child)> Children
        {
            get
            {
                foreach (var (level, child) in _levels ?? [])
                {
                    yield return (level, child);
                }

                if (SingleLevel is not null)
                {
                    yield return ("+", SingleLevel);
                }

                if (MultiLevel is not null)
                {
                    yield return ("#", MultiLevel);
                }
            }
        }

        public Node? Find(ReadOnlySpan<char> level, bool wildcards = false)
        {
            if (wildcards && level is "+")
            {
                return SingleLevel;
            }

            if (wildcards && level is "#")
            {
                return MultiLevel;
            }

            return _levels is not null && _levels.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(level, out var node) ? node : null;
        }

        public Node GetOrAdd(ReadOnlySpan<char> level)
        {
            switch (level)
            {
                case "+":
                    return SingleLevel ??= new();
                case "#":
                    return MultiLevel ??= new();
            }

            _levels ??= new(StringComparer.Ordinal);
            var lookup = _levels.GetAlternateLookup<ReadOnlySpan<char>>();
            if (!lookup.TryGetValue(level, out var node))
            {
                lookup[level] = node = new();
            }

            return node;
        }

        public void Remove(ReadOnlySpan<char> level)
        {
            switch (level)
            {
                case "+":
                    SingleLevel = null;
                    return;
                case "#":
                    MultiLevel = null;
                    return;
            }

            _levels!.GetAlternateLookup<ReadOnlySpan<char>>().Remove(level);
            if (_levels.Count == 0)
            {
                _levels = null;
            }
        }
    }
}
