using System.Diagnostics.CodeAnalysis;

namespace OrleansMqtt.Grains;

/// <summary>
/// Values by topic filter, found by topic name: filters without a wildcard in one dictionary, those with wildcards in a tree of topic levels. Not thread-safe.
/// </summary>
internal sealed class TopicFilterTree<TValue>
    where TValue : class
{
    private readonly Dictionary<string, TValue> _exact = new(StringComparer.Ordinal);
    private readonly Node _root = new("");
    private readonly LevelNames _names = new();

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
            node = node.GetOrAdd(filter.AsSpan(level), _names);
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
            node.Remove(child);
        }

        return removed;
    }

    private static IEnumerable<(string Filter, TValue Value)> EntriesBelow(Node node, string prefix)
    {
        foreach (var child in node.Children)
        {
            if (child.Value is { } value)
            {
                yield return (prefix + child.Level, value);
            }

            foreach (var entry in EntriesBelow(child, prefix + child.Level + "/"))
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

    /// <summary>A topic level. Most have one child at most, which is kept without a dictionary: there may be millions.</summary>
    private sealed class Node(string level)
    {
        // Null, the only child, or a dictionary of several.
        private object? _levels;

        /// <summary>Its own level.</summary>
        public string Level { get; } = level;

        public TValue? Value { get; set; }

        public Node? SingleLevel { get; private set; }

        public Node? MultiLevel { get; private set; }

        public bool IsEmpty => _levels is null && SingleLevel is null && MultiLevel is null;

        public IEnumerable<Node> Children
        {
            get
            {
                IEnumerable<Node> levels = _levels switch
                {
                    Node only => [only],
                    Dictionary<string, Node> several => several.Values,
                    _ => [],
                };
                return levels.Concat(new[] { SingleLevel, MultiLevel }.OfType<Node>());
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

            return _levels switch
            {
                Node only => level.SequenceEqual(only.Level) ? only : null,
                Dictionary<string, Node> several => several.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(level, out var node) ? node : null,
                _ => null,
            };
        }

        public Node GetOrAdd(ReadOnlySpan<char> level, LevelNames names)
        {
            switch (level)
            {
                case "+":
                    return SingleLevel ??= new("+");
                case "#":
                    return MultiLevel ??= new("#");
            }

            if (Find(level) is { } found)
            {
                return found;
            }

            Node added = new(names.Get(level));
            switch (_levels)
            {
                case Node only:
                    _levels = new Dictionary<string, Node>(StringComparer.Ordinal) { [only.Level] = only, [added.Level] = added };
                    break;
                case Dictionary<string, Node> several:
                    several.Add(added.Level, added);
                    break;
                default:
                    _levels = added;
                    break;
            }

            return added;
        }

        public void Remove(Node child)
        {
            if (child == SingleLevel)
            {
                SingleLevel = null;
            }
            else if (child == MultiLevel)
            {
                MultiLevel = null;
            }
            else if (_levels is Dictionary<string, Node> several)
            {
                several.Remove(child.Level);
                _levels = several.Count == 0 ? null : several;
            }
            else
            {
                _levels = null;
            }
        }
    }

    /// <summary>The first names of levels, each once: most filters share a few of them.</summary>
    private sealed class LevelNames
    {
        private const int Maximum = 1_000;
        private readonly HashSet<string> _names = new(StringComparer.Ordinal);

        public string Get(ReadOnlySpan<char> level)
        {
            if (_names.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(level, out var known))
            {
                return known;
            }

            var name = level.ToString();
            if (_names.Count < Maximum)
            {
                _names.Add(name);
            }

            return name;
        }
    }
}
