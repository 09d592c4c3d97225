using Orleans.Runtime.Placement;

namespace OrleansMqtt.Streams.Kafka;

/// <summary>Places grains on the owner of their partition by the <see cref="PartitionMap"/>.</summary>
internal sealed class PartitionPlacementDirector(IPartitionMapSource map, GrainPartitions partitions) : IPlacementDirector
{
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        var compatible = context.GetCompatibleSilos(target);
        if (IPlacementDirector.GetPlacementHint(target.RequestContextData, compatible) is { } hint)
        {
            return Task.FromResult(hint);
        }

        var (partition, _) = partitions.Of(target.GrainIdentity);
        var owner = map.Current.GetOwner(partition);

        // No owner, or one that does not run this grain: still the same silo from everywhere.
        return Task.FromResult(owner is not null && compatible.Contains(owner) ? owner : new PartitionMap(compatible).GetOwner(partition)!);
    }
}
