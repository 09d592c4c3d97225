using OrleansMqtt.Log;
using OrleansMqtt.Streams.Kafka;

namespace OrleansMqtt.Grains;

/// <summary>Places the grains of sessions with the owner of their partition of the sessions topic.</summary>
internal sealed class SessionPartitionResolver(SessionPartitions partitions, GrainTypesOfSessions types) : IGrainPartitionResolver
{
    public bool TryGetPartition(GrainId grainId, out TopicPartitionId partition)
    {
        if (grainId.Type == types.ClientSession)
        {
            partition = partitions.Of(grainId.Key.ToString()!);
            return true;
        }

        if (grainId.Type == types.SessionPartition)
        {
            partition = partitions.Of((int)grainId.GetIntegerKey());
            return true;
        }

        partition = default;
        return false;
    }
}
