namespace OrleansMqtt.Log.Kafka.Wire;

/// <summary>Asks any broker for the identities of the topics of partitions (<c>Metadata</c>, KIP-516). They are known while a partition has no leader, too.</summary>
internal static class TopicIdentityQuestion
{
    /// <summary>Empty for a topic that is not there, and for all where the broker knows no identities.</summary>
    public static Dictionary<TopicPartitionId, Guid> Ask(WireConnection connection, TopicPartitionId[] partitions)
    {
        if (!connection.Knows(WireApi.MetadataWithIdentities))
        {
            return partitions.ToDictionary(partition => partition, _ => Guid.Empty);
        }

        var writer = connection.Start(WireApi.MetadataWithIdentities);
        string[] topics = [.. partitions.Select(static partition => partition.Topic).Distinct(StringComparer.Ordinal)];
        writer.WriteCompactCount(topics.Length);
        foreach (var topic in topics)
        {
            // By its name.
            writer.WriteGuid(Guid.Empty);
            writer.WriteCompactString(topic);
            writer.WriteNoTags();
        }

        // No topic is to be created by asking for it, and what this client may do is not asked for.
        writer.WriteInt8(0);
        writer.WriteInt8(0);
        writer.WriteInt8(0);
        writer.WriteNoTags();
        var reader = connection.SendAndReceive();
        var identities = Read(ref reader);
        return partitions.Where(partition => identities.ContainsKey(partition.Topic)).ToDictionary(partition => partition, partition => identities[partition.Topic]);
    }

    private static Dictionary<string, Guid> Read(ref WireReader reader)
    {
        _ = reader.ReadInt32();
        for (var left = reader.ReadCompactCount(); left > 0; left--)
        {
            // A broker: its id, host, port and rack.
            _ = reader.ReadInt32();
            _ = reader.ReadCompactString();
            _ = reader.ReadInt32();
            _ = reader.ReadCompactString();
            reader.SkipTags();
        }

        // The cluster, and its controller.
        _ = reader.ReadCompactString();
        _ = reader.ReadInt32();
        Dictionary<string, Guid> identities = new(StringComparer.Ordinal);
        for (var left = reader.ReadCompactCount(); left > 0; left--)
        {
            var error = reader.ReadInt16();
            var topic = reader.ReadCompactString();
            var identity = reader.ReadGuid();
            _ = reader.ReadInt8();
            SkipPartitions(ref reader);
            _ = reader.ReadInt32();
            reader.SkipTags();
            if (error is WireError.None or WireError.LeaderNotAvailable or WireError.UnknownTopicOrPartition)
            {
                identities[topic] = error == WireError.UnknownTopicOrPartition ? Guid.Empty : identity;
            }
        }

        return identities;
    }

    private static void SkipPartitions(ref WireReader reader)
    {
        for (var left = reader.ReadCompactCount(); left > 0; left--)
        {
            // Its error, number, leader and the leader's epoch.
            _ = reader.ReadInt16();
            _ = reader.ReadInt32();
            _ = reader.ReadInt32();
            _ = reader.ReadInt32();

            // Replicas, those in sync, and those offline.
            for (var list = 0; list < 3; list++)
            {
                for (var nodes = reader.ReadCompactCount(); nodes > 0; nodes--)
                {
                    _ = reader.ReadInt32();
                }
            }

            reader.SkipTags();
        }
    }
}
