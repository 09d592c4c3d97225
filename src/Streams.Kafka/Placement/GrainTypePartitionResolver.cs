using OrleansMqtt.Log;

namespace OrleansMqtt.Streams.Kafka;

/// <summary>Answers for one grain type.</summary>
internal sealed class GrainTypePartitionResolver(GrainType grainType, Func<GrainId, TopicPartitionId> resolve, PartitionGrainKind kind) : IGrainPartitionResolver
{
    public PartitionGrainKind Kind => kind;

    public bool TryGetPartition(GrainId grainId, out TopicPartitionId partition)
    {
        var isMine = grainId.Type == grainType;
        partition = isMine ? resolve(grainId) : default;
        return isMine;
    }
}
