namespace OrleansMqtt.Log;

/// <summary>An offset is not stored any more, or not yet.</summary>
public sealed class OffsetOutOfRangeException(TopicPartitionId partition, long offset, OffsetRange available)
    : Exception($"Offset {offset} of {partition} is not available: the log holds {available.Start} to {available.End}.")
{
    /// <summary>What is stored.</summary>
    public OffsetRange Available { get; } = available;
}
