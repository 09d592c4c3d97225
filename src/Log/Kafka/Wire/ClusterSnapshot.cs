namespace OrleansMqtt.Log.Kafka.Wire;

/// <summary>The brokers, and who leads which partition, as a broker told it.</summary>
internal sealed class ClusterSnapshot
{
    public static readonly ClusterSnapshot Empty = new();
    private readonly Dictionary<int, BrokerAddress> _brokers = [];
    private readonly Dictionary<TopicPartitionId, int> _leaders = [];
    private readonly HashSet<string> _unknown = new(StringComparer.Ordinal);

    public IEnumerable<BrokerAddress> Brokers => _brokers.Values;

    public IEnumerable<int> BrokerIds => _brokers.Keys;

    public static ClusterSnapshot Read(ref WireReader reader)
    {
        ClusterSnapshot snapshot = new();
        _ = reader.ReadInt32();
        for (var count = reader.ReadCount(); count > 0; count--)
        {
            var id = reader.ReadInt32();
            snapshot._brokers[id] = new(reader.ReadString(), reader.ReadInt32());
            _ = reader.ReadUtf8();
        }

        _ = reader.ReadUtf8();
        _ = reader.ReadInt32();
        for (var count = reader.ReadCount(); count > 0; count--)
        {
            snapshot.ReadTopic(ref reader);
        }

        return snapshot;
    }

    public BrokerAddress? AddressOf(int broker) => _brokers.TryGetValue(broker, out var address) ? address : null;

    /// <summary>The broker that leads a partition; -1 when there is none now.</summary>
    public int LeaderOf(TopicPartitionId partition) => _leaders.TryGetValue(partition, out var leader) && _brokers.ContainsKey(leader) ? leader : -1;

    /// <summary>Whether the broker said that there is no such topic.</summary>
    public bool IsUnknown(string topic) => _unknown.Contains(topic);

    /// <summary>Whether the broker told anything of a topic.</summary>
    public bool Tells(string topic) => IsUnknown(topic) || _leaders.ContainsKey(new(topic, 0));

    private void ReadTopic(ref WireReader reader)
    {
        var error = reader.ReadInt16();
        var topic = reader.ReadString();
        _ = reader.ReadInt8();
        if (error == WireError.UnknownTopicOrPartition)
        {
            _unknown.Add(topic);
        }

        for (var count = reader.ReadCount(); count > 0; count--)
        {
            _ = reader.ReadInt16();
            var partition = reader.ReadInt32();
            _leaders[new(topic, partition)] = reader.ReadInt32();
            _ = reader.ReadInt32();

            // Replicas, those in sync, and those offline.
            for (var list = 0; list < 3; list++)
            {
                for (var nodes = reader.ReadCount(); nodes > 0; nodes--)
                {
                    _ = reader.ReadInt32();
                }
            }
        }
    }
}
