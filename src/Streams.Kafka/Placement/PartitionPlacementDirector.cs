using System.Globalization;
using Orleans.Runtime.Placement;
using OrleansMqtt.Log;

namespace OrleansMqtt.Streams.Kafka;

/// <summary>Places grains on the owner of their partition by the <see cref="PartitionMap"/>.</summary>
internal sealed class PartitionPlacementDirector(IPartitionMapSource map, IEnumerable<IGrainPartitionResolver> resolvers) : IPlacementDirector
{
    private readonly IGrainPartitionResolver[] _resolvers = [.. resolvers];

    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        var compatible = context.GetCompatibleSilos(target);
        if (IPlacementDirector.GetPlacementHint(target.RequestContextData, compatible) is { } hint)
        {
            return Task.FromResult(hint);
        }

        var partition = GetPartition(target.GrainIdentity);
        var owner = map.Current.GetOwner(partition);

        // No owner, or one that does not run this grain: still the same silo from everywhere.
        return Task.FromResult(owner is not null && compatible.Contains(owner) ? owner : new PartitionMap(compatible).GetOwner(partition)!);
    }

    private TopicPartitionId GetPartition(GrainId grainId)
    {
        foreach (var resolver in _resolvers)
        {
            if (resolver.TryGetPartition(grainId, out var partition))
            {
                return partition;
            }
        }

        var key = grainId.Key.ToString()!;
        var slash = key.LastIndexOf('/');
        return slash > 0 && int.TryParse(key.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? new(key[..slash], number)
            : new(grainId.ToString(), 0);
    }
}
