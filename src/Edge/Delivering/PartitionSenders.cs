using System.Collections.Concurrent;

namespace OrleansMqtt.Edge.Delivering;

/// <summary>One sender for each session partition.</summary>
internal sealed class PartitionSenders<TSender>(Func<int, TSender> create)
{
    private readonly ConcurrentDictionary<int, TSender> _senders = new();

    public TSender Get(int partition) => _senders.TryGetValue(partition, out var sender) ? sender : _senders.GetOrAdd(partition, create);
}
