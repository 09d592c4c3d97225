namespace OrleansMqtt.Log.Kafka.Wire;

/// <summary>Asks a broker for the transactions that are open on partitions (<c>DescribeProducers</c>, KIP-664).</summary>
internal static class OpenTransactionQuestion
{
    /// <summary>The producers that have a transaction open, by their ids; none at all where the broker does not know the question, or may not answer it.</summary>
    public static Dictionary<TopicPartitionId, HashSet<long>> Ask(WireConnection connection, TopicPartitionId[] partitions)
    {
        if (!connection.Knows(WireApi.DescribeProducers))
        {
            return partitions.ToDictionary(partition => partition, _ => new HashSet<long>());
        }

        var writer = connection.Start(WireApi.DescribeProducers);
        var topics = partitions.GroupBy(partition => partition.Topic).ToArray();
        writer.WriteCompactCount(topics.Length);
        foreach (var topic in topics)
        {
            writer.WriteCompactString(topic.Key);
            writer.WriteCompactCount(topic.Count());
            foreach (var partition in topic)
            {
                writer.WriteInt32(partition.Partition);
            }

            writer.WriteNoTags();
        }

        writer.WriteNoTags();
        var reader = connection.SendAndReceive();
        _ = reader.ReadInt32();
        Dictionary<TopicPartitionId, HashSet<long>> answers = [];
        for (var left = reader.ReadCompactCount(); left > 0; left--)
        {
            var topic = reader.ReadCompactString();
            for (var parts = reader.ReadCompactCount(); parts > 0; parts--)
            {
                var partition = reader.ReadInt32();
                var error = reader.ReadInt16();
                _ = reader.ReadCompactString();
                var open = ReadOpen(ref reader);
                reader.SkipTags();
                if (!WireError.IsRetriable(error))
                {
                    answers[new(topic, partition)] = open;
                }
            }

            reader.SkipTags();
        }

        return answers;
    }

    private static HashSet<long> ReadOpen(ref WireReader reader)
    {
        HashSet<long> open = [];
        for (var left = reader.ReadCompactCount(); left > 0; left--)
        {
            var producer = reader.ReadInt64();

            // Its epoch, its last sequence and timestamp, and the coordinator's epoch.
            _ = reader.ReadInt32();
            _ = reader.ReadInt32();
            _ = reader.ReadInt64();
            _ = reader.ReadInt32();
            if (reader.ReadInt64() >= 0)
            {
                open.Add(producer);
            }

            reader.SkipTags();
        }

        return open;
    }
}
