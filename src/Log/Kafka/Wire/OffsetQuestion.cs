namespace OrleansMqtt.Log.Kafka.Wire;

/// <summary>Asks a broker for offsets (<c>ListOffsets</c>).</summary>
internal static class OffsetQuestion
{
    private const long Latest = -1;
    private const long Earliest = -2;

    private enum Isolation : byte
    {
        ReadUncommitted,
        ReadCommitted,
    }

    public static Dictionary<TopicPartitionId, PartitionOffsets> AskAll(WireConnection connection, TopicPartitionId[] partitions)
    {
        // In this order: the start is no greater than the ends, and the stable end has passed the other one unless a transaction is open.
        var start = List(connection, partitions, Earliest, Isolation.ReadUncommitted);
        var high = List(connection, partitions, Latest, Isolation.ReadUncommitted);
        var stable = AskStableEnd(connection, partitions);
        Dictionary<TopicPartitionId, PartitionOffsets> answers = [];
        foreach (var partition in partitions)
        {
            if (start.TryGetValue(partition, out var first) && high.TryGetValue(partition, out var end) && stable.TryGetValue(partition, out var committed))
            {
                answers.Add(partition, new(first, committed, end));
            }
        }

        return answers;
    }

    /// <summary>The ends of what readers of committed records see: the first record of a transaction that has not ended, or the end.</summary>
    public static Dictionary<TopicPartitionId, long> AskStableEnd(WireConnection connection, TopicPartitionId[] partitions) =>
        List(connection, partitions, Latest, Isolation.ReadCommitted);

    private static Dictionary<TopicPartitionId, long> List(WireConnection connection, TopicPartitionId[] partitions, long time, Isolation isolation)
    {
        var writer = connection.Start(WireApi.ListOffsets);
        writer.WriteInt32(-1);
        writer.WriteInt8((byte)isolation);
        writer.WriteTopics(partitions, rest =>
        {
            rest.WriteInt32(-1);
            rest.WriteInt64(time);
        });
        var reader = connection.SendAndReceive();
        _ = reader.ReadInt32();
        Dictionary<TopicPartitionId, long> offsets = [];
        for (var left = reader.ReadCount(); left > 0; left--)
        {
            var topic = reader.ReadString();
            for (var parts = reader.ReadCount(); parts > 0; parts--)
            {
                var partition = reader.ReadInt32();
                var error = reader.ReadInt16();
                _ = reader.ReadInt64();
                var offset = reader.ReadInt64();
                _ = reader.ReadInt32();
                if (error == WireError.None)
                {
                    offsets[new(topic, partition)] = offset;
                }
            }
        }

        return offsets;
    }
}
