namespace OrleansMqtt.Streams.Kafka;

/// <summary>How a grain belongs to its partition.</summary>
public enum PartitionGrainKind
{
    /// <summary>It serves the partition: when the partition gets another owner it moves at once, before all followers.</summary>
    Owner,

    /// <summary>One of many that live beside the owner: it goes, and its next call finds it at the new place.</summary>
    Follower,
}
