using OrleansMqtt.Log;

namespace OrleansMqtt.Grains;

/// <summary>The numbers of messages partitions, and of retained ones behind them, in the records of a session partition, and which link stands for which.</summary>
internal sealed class SourceNumbers
{
    private readonly List<(TopicPartitionId Source, long Position)> _stored;
    private readonly int[] _ofLinks;

    /// <param name="stored">The stored list; null when there is none.</param>
    /// <param name="links">The partitions of today. Those that have no number get the next.</param>
    /// <param name="retained">How many of them, the last ones, are partitions of the retained topic.</param>
    public SourceNumbers(PositionsRecord? stored, IReadOnlyList<TopicPartitionId> links, int retained = 0)
    {
        RetainedCount = retained;
        _stored = stored?.Sources ?? [];
        _ofLinks = new int[links.Count];
        for (var link = 0; link < links.Count; link++)
        {
            var number = _stored.FindIndex(entry => entry.Source == links[link]);
            if (number < 0)
            {
                number = _stored.Count;
                _stored.Add((links[link], -1));
            }

            _ofLinks[link] = number;
        }
    }

    /// <summary>The partitions of the retained topic.</summary>
    public int RetainedCount { get; }

    /// <summary>The first of them.</summary>
    public int FirstRetained => _ofLinks.Length - RetainedCount;

    /// <summary>The number of each link.</summary>
    public ReadOnlySpan<int> OfLinks => _ofLinks;

    /// <summary>The stored position of a link; -1 when there is none.</summary>
    public long PositionOf(int link) => _stored[_ofLinks[link]].Position;

    /// <summary>The link of a number; -1 when that partition is not read any more.</summary>
    public int LinkOf(int number) => Array.IndexOf(_ofLinks, number);

    /// <summary>Offsets by link; 0 where none is given.</summary>
    public long[] ByLink(ReadOnlySpan<SourceOffset> offsets)
    {
        var byLink = new long[_ofLinks.Length];
        foreach (var (number, offset) in offsets)
        {
            if (LinkOf(number) is >= 0 and var link)
            {
                byLink[link] = offset;
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
        List<(TopicPartitionId, long)> sources = [.. _stored.Select(entry => (entry.Source, Math.Max(0, entry.Position)))];
        foreach (var link in links)
        {
            sources[_ofLinks[link.Index]] = (link.Source, Math.Max(0, link.Position));
        }

        return new PositionsRecord { Generation = generation, Sources = sources }.Encode();
    }
}
