using OrleansMqtt.Log;

namespace OrleansMqtt.Grains;

/// <summary>
/// How far the retained messages that a subscription found are sent: on each partition of the retained topic, what lay before its end when the subscription was made. What comes
/// behind that is delivered as it is published.
/// </summary>
internal sealed class RetainedCursor(string filter, int partitions)
{
    /// <summary>Topics that are remembered. Beyond them the partition has to be read anew before it is asked.</summary>
    private const int MaximumNewer = 4_096;

    private readonly long[] _from = new long[partitions];
    private readonly long[] _before = new long[partitions];
    private HashSet<string>? _newer;

    public string Filter { get; } = filter;

    /// <summary>Whether messages of QoS 0 are left out, because an earlier owner of the session may have sent them.</summary>
    public bool SkipsQoS0 { get; init; }

    /// <summary>Whether what was published to the subscription is not known any more, so that a partition has to be read up to its present end before it is asked.</summary>
    public bool IsStale { get; set; }

    /// <summary>The partition that comes next; -1 when all is sent.</summary>
    public int Partition
    {
        get
        {
            for (var partition = 0; partition < _from.Length; partition++)
            {
                if (_from[partition] < _before[partition])
                {
                    return partition;
                }
            }

            return -1;
        }
    }

    public long From(int partition) => _from[partition];

    public long Before(int partition) => _before[partition];

    public void Set(int partition, long from, long before) => (_from[partition], _before[partition]) = (from, before);

    public void Start(OffsetRange[] ranges)
    {
        for (var partition = 0; partition < ranges.Length; partition++)
        {
            Set(partition, ranges[partition].Start, ranges[partition].End);
        }
    }

    public void MoveTo(int partition, long from) => _from[partition] = from;

    /// <summary>A message that was to be retained is delivered as it was published: an earlier one of the topic may not follow it.</summary>
    public void NoteNewer(string topic)
    {
        _newer ??= new(StringComparer.Ordinal);
        if (_newer.Count == MaximumNewer)
        {
            _newer.Clear();
            IsStale = true;
        }

        _newer.Add(topic);
    }

    public bool HasNewer(string topic) => _newer is not null && _newer.Contains(topic);
}
