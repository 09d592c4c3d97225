using System.Globalization;
using OrleansMqtt.Log;

namespace OrleansMqtt.Streams.Kafka;

/// <summary>Which partition each grain belongs to, by the registered resolvers or by its key.</summary>
internal sealed class GrainPartitions(IEnumerable<IGrainPartitionResolver> resolvers)
{
    private readonly IGrainPartitionResolver[] _resolvers = [.. resolvers];

    public (TopicPartitionId Partition, PartitionGrainKind Kind) Of(GrainId grainId)
    {
        foreach (var resolver in _resolvers)
        {
            if (resolver.TryGetPartition(grainId, out var partition))
            {
                return (partition, resolver.Kind);
            }
        }

        var key = grainId.Key.ToString()!;
        var slash = key.LastIndexOf('/');
        return (slash > 0 && int.TryParse(key.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? new(key[..slash], number)
            : new(grainId.ToString(), 0), PartitionGrainKind.Owner);
    }
}
