using System.Collections.Concurrent;
using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Runtime.Placement;
using OrleansMqtt.Log;

namespace OrleansMqtt.Streams.Kafka;

/// <summary>Keeps the list of the local activations that the <see cref="PartitionMap"/> places.</summary>
internal sealed class PartitionGrains(IServiceProvider services, IPartitionMapSource map, GrainPartitions partitions, ILocalSiloDetails silo) : IPartitionGrains, IActivationWorkingSetObserver
{
    private readonly ConcurrentDictionary<GrainType, bool> _types = new();
    private readonly ConcurrentDictionary<IGrainContext, byte> _owners = new(ReferenceEqualityComparer.Instance);
    private readonly ConcurrentDictionary<IGrainContext, byte> _followers = new(ReferenceEqualityComparer.Instance);

    public IEnumerable<GrainId> Owners => _owners.Select(static pair => pair.Key.GrainId);

    public int FollowerCount => _followers.Count;

    public int MisplacedCount => Misplaced(PartitionGrainKind.Owner).Count + Misplaced(PartitionGrainKind.Follower).Count;

    public void OnAdded(IActivationWorkingSetMember member)
    {
        if (member is IGrainContext context && _types.GetOrAdd(context.GrainId.Type, IsPlacedByPartition))
        {
            Of(partitions.Of(context.GrainId).Kind)[context] = 0;
        }
    }

    public void OnDeactivated(IActivationWorkingSetMember member)
    {
        if (member is IGrainContext context && !_owners.TryRemove(context, out _))
        {
            _followers.TryRemove(context, out _);
        }
    }

    /// <summary>Those of a kind whose partition has another owner, in the order in which they move.</summary>
    public List<IGrainContext> Misplaced(PartitionGrainKind kind)
    {
        var current = map.Current;
        return [.. Of(kind).Select(static pair => pair.Key).Where(context => NewOwnerOf(context, current) is not null).OrderBy(MovesLast)];
    }

    /// <summary>The partitions that grains here serve.</summary>
    public HashSet<TopicPartitionId> ServedPartitions() => [.. _owners.Select(pair => partitions.Of(pair.Key.GrainId).Partition)];

    /// <summary>Whether its partition has another owner, still.</summary>
    public bool IsMisplaced(IGrainContext context) => NewOwnerOf(context, map.Current) is not null;

    /// <summary>The silos that own the partitions of the <see cref="Misplaced"/>.</summary>
    public HashSet<SiloAddress> NewOwners(PartitionGrainKind kind)
    {
        var current = map.Current;
        return [.. Of(kind).Select(pair => NewOwnerOf(pair.Key, current)).OfType<SiloAddress>()];
    }

    private static bool MovesLast(IGrainContext context) =>
        context.GrainInstance?.GetType().GetCustomAttribute<PartitionPlacementAttribute>() is { MovesLast: true };

    private SiloAddress? NewOwnerOf(IGrainContext context, PartitionMap current) =>
        current.GetOwner(partitions.Of(context.GrainId).Partition) is { } owner && !owner.Equals(silo.SiloAddress) ? owner : null;

    private ConcurrentDictionary<IGrainContext, byte> Of(PartitionGrainKind kind) => kind == PartitionGrainKind.Owner ? _owners : _followers;

    // Resolved late: the resolver of strategies needs parts that observe activations themselves.
    private bool IsPlacedByPartition(GrainType type) => services.GetRequiredService<PlacementStrategyResolver>().GetPlacementStrategy(type) is PartitionPlacement;
}
