namespace OrleansMqtt.Log.Kafka;

/// <summary>What Kafka told of a partition: its first offset, the end of what is committed, and the end of what it holds.</summary>
internal readonly record struct PartitionOffsets(long Start, long Stable, long High);
