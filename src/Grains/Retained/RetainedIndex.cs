using System.IO.Hashing;

namespace OrleansMqtt.Grains;

/// <summary>
/// The retained messages of a partition by topic, as a tree of topic levels in large arrays: about 60 bytes for a topic, its text included, and its share of the levels above it.
/// Topics and filters are in UTF-8. Not thread-safe.
/// </summary>
internal sealed class RetainedIndex
{
    private const int Root = 0;
    private const int None = -1;
    private const int ChunkBits = 10;
    private readonly List<Node[]> _chunks = [new Node[1 << ChunkBits]];
    private readonly LevelTexts _texts = new();

    // By parent and text: a node plus one.
    private int[] _buckets = new int[1024];
    private int _end = 1;
    private int _used = 1;
    private int _free = None;

    public RetainedIndex() => At(Root) = Node.Empty;

    /// <summary>The number of topics.</summary>
    public int Count { get; private set; }

    public bool TryGet(ReadOnlySpan<byte> topic, out RetainedEntry entry)
    {
        var index = Find(topic);
        if (index == None || At(index).Offset < 0)
        {
            entry = default;
            return false;
        }

        ref var node = ref At(index);
        entry = new(node.Offset, node.Timestamp, node.IsForeign);
        return true;
    }

    public void Set(ReadOnlySpan<byte> topic, RetainedEntry entry)
    {
        var index = Root;
        for (var isLast = false; !isLast;)
        {
            var level = TakeLevel(ref topic, out isLast);
            var child = FindChild(index, level);
            index = child == None ? AddChild(index, level) : child;
        }

        ref var node = ref At(index);
        Count += node.Offset < 0 ? 1 : 0;
        (node.Offset, node.Timestamp, node.IsForeign) = (entry.Offset, entry.TimestampMilliseconds, entry.IsForeign);
    }

    /// <summary>Removes a topic; false when it is not there.</summary>
    public bool Remove(ReadOnlySpan<byte> topic)
    {
        var index = Find(topic);
        if (index == None || At(index).Offset < 0)
        {
            return false;
        }

        At(index).Offset = -1;
        Count--;
        while (index != Root && At(index) is { Offset: < 0, FirstChild: None })
        {
            var parent = At(index).Parent;
            RemoveLeaf(index);
            index = parent;
        }

        return true;
    }

    /// <summary>Adds the offsets of the messages whose topics match a filter, in no order.</summary>
    /// <param name="filter">The filter.</param>
    /// <param name="limit">How many at most.</param>
    /// <param name="entries">Takes them.</param>
    /// <returns>False when there are more.</returns>
    public bool TryMatch(ReadOnlySpan<byte> filter, int limit, List<RetainedEntry> entries)
    {
        List<int> matching = [Root];
        List<int> next = [];
        for (var isLast = false; !isLast; (matching, next) = (next, matching))
        {
            var level = TakeLevel(ref filter, out isLast);
            next.Clear();
            foreach (var index in matching)
            {
                switch (level)
                {
                    case [(byte)'#']:
                        if (!TryAddBelow(index, limit, entries))
                        {
                            return false;
                        }

                        break;
                    case [(byte)'+']:
                        AddChildren(index, next);
                        break;
                    default:
                        if (FindChild(index, level) is not None and var child)
                        {
                            next.Add(child);
                        }

                        break;
                }
            }
        }

        foreach (var index in matching)
        {
            if (!TryAdd(index, limit, entries))
            {
                return false;
            }
        }

        return true;
    }

    private static ReadOnlySpan<byte> TakeLevel(ref ReadOnlySpan<byte> rest, out bool isLast)
    {
        var slash = rest.IndexOf((byte)'/');
        isLast = slash < 0;
        var level = isLast ? rest : rest[..slash];
        rest = isLast ? [] : rest[(slash + 1)..];
        return level;
    }

    private void AddChildren(int index, List<int> children)
    {
        for (var child = At(index).FirstChild; child != None; child = At(child).Next)
        {
            if (!IsHidden(child))
            {
                children.Add(child);
            }
        }
    }

    /// <summary>A topic and all below it, without recursion: a topic may have thousands of levels.</summary>
    private bool TryAddBelow(int top, int limit, List<RetainedEntry> entries)
    {
        for (var index = top; ;)
        {
            var isPassedOver = index != top && IsHidden(index);
            if (!isPassedOver && !TryAdd(index, limit, entries))
            {
                return false;
            }

            if (!isPassedOver && At(index).FirstChild is not None and var child)
            {
                index = child;
                continue;
            }

            while (index != top && At(index).Next == None)
            {
                index = At(index).Parent;
            }

            if (index == top)
            {
                return true;
            }

            index = At(index).Next;
        }
    }

    private bool TryAdd(int index, int limit, List<RetainedEntry> entries)
    {
        ref var node = ref At(index);
        if (node.Offset < 0)
        {
            return true;
        }

        if (entries.Count == limit)
        {
            return false;
        }

        entries.Add(new(node.Offset, node.Timestamp, node.IsForeign));
        return true;
    }

    /// <summary>A wildcard at the first level does not match topics that start with $ ([MQTT-4.7.2-1]).</summary>
    private bool IsHidden(int index)
    {
        ref var node = ref At(index);
        return node.Parent == Root && index != Root && node.TextLength > 0 && TextOf(node)[0] == (byte)'$';
    }

    private int Find(ReadOnlySpan<byte> topic)
    {
        var index = Root;
        for (var isLast = false; !isLast && index != None;)
        {
            index = FindChild(index, TakeLevel(ref topic, out isLast));
        }

        return index;
    }

    private int FindChild(int parent, ReadOnlySpan<byte> level)
    {
        for (var index = _buckets[BucketOf(parent, level)] - 1; index != None;)
        {
            ref var node = ref At(index);
            if (node.Parent == parent && node.TextLength == level.Length && TextOf(node).SequenceEqual(level))
            {
                return index;
            }

            index = node.NextInBucket;
        }

        return None;
    }

    private int AddChild(int parent, ReadOnlySpan<byte> level)
    {
        if (_used == _buckets.Length)
        {
            Grow();
        }

        var index = TakeNode();
        ref var bucket = ref _buckets[BucketOf(parent, level)];
        ref var above = ref At(parent);
        ref var node = ref At(index);
        node = Node.Empty with
        {
            Parent = parent,
            Next = above.FirstChild,
            NextInBucket = bucket - 1,
            Text = _texts.Add(level),
            TextLength = (ushort)level.Length,
        };
        if (node.Next != None)
        {
            At(node.Next).Previous = index;
        }

        above.FirstChild = index;
        bucket = index + 1;
        return index;
    }

    private void RemoveLeaf(int index)
    {
        ref var node = ref At(index);
        ref var bucket = ref _buckets[BucketOf(node.Parent, TextOf(node))];
        if (bucket == index + 1)
        {
            bucket = node.NextInBucket + 1;
        }
        else
        {
            var before = bucket - 1;
            while (At(before).NextInBucket != index)
            {
                before = At(before).NextInBucket;
            }

            At(before).NextInBucket = node.NextInBucket;
        }

        if (node.Previous == None)
        {
            At(node.Parent).FirstChild = node.Next;
        }
        else
        {
            At(node.Previous).Next = node.Next;
        }

        if (node.Next != None)
        {
            At(node.Next).Previous = node.Previous;
        }

        _texts.Remove(node.Text, node.TextLength);
        node.NextInBucket = _free;
        _free = index;
        _used--;
    }

    private int TakeNode()
    {
        _used++;
        if (_free != None)
        {
            var index = _free;
            _free = At(index).NextInBucket;
            return index;
        }

        if (_end == _chunks.Count << ChunkBits)
        {
            _chunks.Add(new Node[1 << ChunkBits]);
        }

        return _end++;
    }

    private void Grow()
    {
        var earlier = _buckets;
        _buckets = new int[earlier.Length * 2];
        foreach (var first in earlier)
        {
            for (var index = first - 1; index != None;)
            {
                ref var node = ref At(index);
                var next = node.NextInBucket;
                ref var bucket = ref _buckets[BucketOf(node.Parent, TextOf(node))];
                node.NextInBucket = bucket - 1;
                bucket = index + 1;
                index = next;
            }
        }
    }

    private int BucketOf(int parent, ReadOnlySpan<byte> level) => (int)XxHash3.HashToUInt64(level, parent) & (_buckets.Length - 1);

    private ReadOnlySpan<byte> TextOf(in Node node) => _texts.Get(node.Text, node.TextLength);

    private ref Node At(int index) => ref _chunks[index >> ChunkBits][index & ((1 << ChunkBits) - 1)];

    private record struct Node
    {
        public static Node Empty { get; } = new() { Parent = None, FirstChild = None, Next = None, Previous = None, NextInBucket = None, Offset = -1 };

        /// <summary>-1 when the topic has no message.</summary>
        public long Offset;
        public long Timestamp;
        public int Parent;
        public int FirstChild;
        public int Next;
        public int Previous;
        public int NextInBucket;
        public int Text;
        public ushort TextLength;
        public bool IsForeign;
    }
}
