namespace OrleansMqtt.Grains;

/// <summary>What a partition knows of the messages of its topics on other partitions, and of late deletions, with which it compares what it hears of later.</summary>
internal sealed class RetainedCopies
{
    private const int MaximumDeletions = 10_000;
    private readonly Dictionary<string, List<(int Partition, long At)>> _copies = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _deletions = new(StringComparer.Ordinal);
    private readonly Queue<string> _deletionOrder = new();

    public bool IsEmpty => _copies.Count == 0;

    public void Set(string topic, int partition, long at)
    {
        if (!_copies.TryGetValue(topic, out var copies))
        {
            _copies.Add(topic, copies = []);
        }

        copies.RemoveAll(copy => copy.Partition == partition);
        copies.Add((partition, at));
    }

    public void Remove(string topic, int partition)
    {
        if (_copies.TryGetValue(topic, out var copies) && copies.RemoveAll(copy => copy.Partition == partition) > 0 && copies.Count == 0)
        {
            _copies.Remove(topic);
        }
    }

    /// <summary>The partitions with a message of the topic that is not newer.</summary>
    public IEnumerable<int> NotNewerThan(string topic, long at) => _copies.GetValueOrDefault(topic)?.Where(copy => copy.At <= at).Select(copy => copy.Partition) ?? [];

    public bool HasNewer(string topic, long at) => _copies.GetValueOrDefault(topic)?.Exists(copy => copy.At > at) ?? false;

    /// <summary>Whether another of the copies counts more than that of a partition; of the same time the one on the lower partition does.</summary>
    public bool HasNewer(string topic, int partition, long at) =>
        _copies.GetValueOrDefault(topic)?.Exists(copy => copy.Partition != partition && (copy.At > at || (copy.At == at && copy.Partition < partition))) ?? false;

    public void NoteDeletion(string topic, long at)
    {
        if (_deletions.TryAdd(topic, at))
        {
            _deletionOrder.Enqueue(topic);
            if (_deletionOrder.Count > MaximumDeletions)
            {
                _deletions.Remove(_deletionOrder.Dequeue());
            }
        }
        else
        {
            _deletions[topic] = Math.Max(_deletions[topic], at);
        }
    }

    /// <summary>When the topic was deleted, if that was at this time or after it.</summary>
    public long? DeletedSince(string topic, long at) => _deletions.TryGetValue(topic, out var deleted) && deleted >= at ? deleted : null;
}
