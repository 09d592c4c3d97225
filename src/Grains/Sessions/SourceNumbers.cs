using OrleansMqtt.Log;

namespace OrleansMqtt.Grains;

/// <summary>
/// The numbers of messages partitions, and of retained ones behind them, in the records of a session partition, and which link stands for which. A topic that was made anew has new
/// numbers: what is stored with the old ones means nothing in it.
/// </summary>
internal sealed class SourceNumbers
{
    /// <summary>The number of no partition: that of a reference which leads nowhere any more, and keeps its place.</summary>
    public const int None = int.MaxValue >> 2;

    private readonly List<StoredPosition> _stored;
    private readonly int[] _ofLinks;
    private readonly bool[] _areAnew;

    // Where a partition was cut: offsets behind it stand for other messages, or none.
    private readonly long[] _ends;

    /// <param name="stored">The stored list; null when there is none.</param>
    /// <param name="links">The partitions of today. Those that have no number get the next.</param>
    /// <param name="retained">How many of them, the last ones, are partitions of the retained topic.</param>
    /// <param name="topicIds">The identity of each one's topic; null when they are not known.</param>
    public SourceNumbers(PositionsRecord? stored, IReadOnlyList<TopicPartitionId> links, int retained = 0, IReadOnlyList<Guid>? topicIds = null)
    {
        RetainedCount = retained;
        _stored = stored?.Sources ?? [];
        _ofLinks = new int[links.Count];
        _areAnew = new bool[links.Count];
        _ends = new long[links.Count];
        Array.Fill(_ends, long.MaxValue);
        for (var link = 0; link < links.Count; link++)
        {
            _ofLinks[link] = NumberOf(links[link], topicIds?[link] ?? Guid.Empty, out _areAnew[link]);
        }
    }

    /// <summary>The partitions of the retained topic.</summary>
    public int RetainedCount { get; }

    /// <summary>The first of them.</summary>
    public int FirstRetained => _ofLinks.Length - RetainedCount;

    /// <summary>The number of each link.</summary>
    public ReadOnlySpan<int> OfLinks => _ofLinks;

    /// <summary>The number of a reference's partition.</summary>
    public int NumberOf(in MessageReference reference) => reference.Link < _ofLinks.Length ? _ofLinks[reference.Link] : None;

    /// <summary>The stored position of a link; -1 when there is none.</summary>
    public long PositionOf(int link) => _stored[_ofLinks[link]].Position;

    /// <summary>The identity of a link's topic; empty when it is not known.</summary>
    public Guid TopicIdOf(int link) => _stored[_ofLinks[link]].TopicId;

    /// <summary>Whether the topic of a link was made anew since positions were stored for it.</summary>
    public bool IsAnew(int link) => _areAnew[link];

    /// <summary>The partition of a link was cut: it ends before what is stored of it.</summary>
    public void Cut(int link, long end) => _ends[link] = end;

    /// <summary>The link of a number; -1 when that partition is not read any more.</summary>
    public int LinkOf(int number) => Array.IndexOf(_ofLinks, number);

    /// <summary>The link of a message; -1 when the message is out of reach for ever.</summary>
    public int LinkOf(int number, long offset) => LinkOf(number) is >= 0 and var link && offset < _ends[link] ? link : -1;

    /// <summary>Offsets by link; 0 where none is given.</summary>
    public long[] ByLink(ReadOnlySpan<SourceOffset> offsets)
    {
        var byLink = new long[_ofLinks.Length];
        foreach (var (number, offset) in offsets)
        {
            if (LinkOf(number) is >= 0 and var link)
            {
                byLink[link] = Math.Min(offset, _ends[link]);
            }
        }

        return byLink;
    }

    public SourceOffset[] ByNumber(ReadOnlySpan<long> offsets)
    {
        var byNumber = new SourceOffset[offsets.Length];
        for (var link = 0; link < byNumber.Length; link++)
        {
            byNumber[link] = new(_ofLinks[link], offsets[link]);
        }

        return byNumber;
    }

    public byte[] Encode(long generation, RouterLink[] links)
    {
        List<StoredPosition> sources = [.. _stored.Select(static entry => entry with { Position = Math.Max(0, entry.Position) })];
        foreach (var link in links)
        {
            var number = _ofLinks[link.Index];
            sources[number] = sources[number] with { Position = Math.Max(0, link.Position) };
        }

        return new PositionsRecord { Generation = generation, Sources = sources }.Encode();
    }

    private int NumberOf(TopicPartitionId link, Guid topicId, out bool isAnew)
    {
        isAnew = false;
        var number = _stored.FindIndex(entry => entry.Source == link && entry.TopicId == topicId);
        if (number >= 0)
        {
            return number;
        }

        // An identity that was not known, here or there, is no other one.
        number = topicId == Guid.Empty ? _stored.FindLastIndex(entry => entry.Source == link) : _stored.FindIndex(entry => entry.Source == link && entry.TopicId == Guid.Empty);
        if (number >= 0)
        {
            _stored[number] = topicId == Guid.Empty ? _stored[number] : _stored[number] with { TopicId = topicId };
            return number;
        }

        isAnew = _stored.Exists(entry => entry.Source == link);
        _stored.Add(new(link, -1, topicId));
        return _stored.Count - 1;
    }
}
