using OrleansMqtt.Log;

namespace OrleansMqtt.Streams.Kafka;

/// <summary>Tells which partition a grain belongs to. Several can be registered: the first that answers wins; a key <c>topic/partition</c> needs none.</summary>
public interface IGrainPartitionResolver
{
    /// <summary>How the grains of this resolver belong to their partitions.</summary>
    PartitionGrainKind Kind { get; }

    /// <returns>False when another resolver has to know.</returns>
    bool TryGetPartition(GrainId grainId, out TopicPartitionId partition);
}
