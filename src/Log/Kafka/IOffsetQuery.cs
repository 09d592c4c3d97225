namespace OrleansMqtt.Log.Kafka;

/// <summary>Asks Kafka once for the offsets of partitions.</summary>
internal interface IOffsetQuery
{
    /// <summary>The offsets of those partitions that Kafka answers for, in a few seconds at most.</summary>
    Task<Dictionary<TopicPartitionId, PartitionOffsets>> AskAsync(IReadOnlySet<TopicPartitionId> partitions);
}
