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

    public int MisplacedCount
    {
        get
        {
            var current = map.Current;
            return _owners.Concat(_followers).Count(pair => NewOwnerOf(pair.Key, current) is not null);
        }
    }

    /// <summary>Raised when a grain comes here whose partition belongs to another silo: a process that has missed a change, or is about to end, has placed it.</summary>
    public event Action? Misplaced;

    /// <summary>Raised when a grain here serves its partition no more.</summary>
    public event Action<TopicPartitionId>? Left;

    public void OnAdded(IActivationWorkingSetMember member)
    {
        if (member is IGrainContext context && _types.GetOrAdd(context.GrainId.Type, IsPlacedByPartition))
        {
            var grains = partitions.Of(context.GrainId).Kind == PartitionGrainKind.Owner ? _owners : _followers;
            grains[context] = 0;
            if (NewOwnerOf(context, map.Current) is not null)
            {
                Misplaced?.Invoke();
            }
        }
    }

    public void OnDeactivated(IActivationWorkingSetMember member)
    {
        if (member is not IGrainContext context)
        {
            return;
        }

        if (_owners.TryRemove(context, out _))
        {
            Left?.Invoke(partitions.Of(context.GrainId).Partition);
        }
        else
        {
            _followers.TryRemove(context, out _);
        }
    }

    /// <summary>The grains that serve partitions which belong to some silos, in the order in which they move.</summary>
    public List<IGrainContext> OwnersFor(IReadOnlySet<SiloAddress> silos) =>
        [.. _owners.Select(static pair => pair.Key).Where(context => BelongsTo(context, silos)).OrderBy(MovesLast)];

    /// <summary>The followers of partitions that belong to another silo and are not served here any more.</summary>
    public List<IGrainContext> FollowersLeft()
    {
        var (current, served) = (map.Current, ServedPartitions());
        return [.. _followers.Select(static pair => pair.Key).Where(context => NewOwnerOf(context, current) is not null && !served.Contains(partitions.Of(context.GrainId).Partition))];
    }

    /// <summary>The partitions that grains here serve.</summary>
    public HashSet<TopicPartitionId> ServedPartitions() => [.. _owners.Select(pair => partitions.Of(pair.Key.GrainId).Partition)];

    /// <summary>Whether its partition belongs to one of other silos, still.</summary>
    public bool BelongsTo(IGrainContext context, IReadOnlySet<SiloAddress> silos) => NewOwnerOf(context, map.Current) is { } owner && silos.Contains(owner);

    /// <summary>The other silos to which partitions belong that grains here serve.</summary>
    public HashSet<SiloAddress> NewOwners()
    {
        var current = map.Current;
        return [.. _owners.Select(pair => NewOwnerOf(pair.Key, current)).OfType<SiloAddress>()];
    }

    private static bool MovesLast(IGrainContext context) =>
        context.GrainInstance?.GetType().GetCustomAttribute<PartitionPlacementAttribute>() is { MovesLast: true };

    private SiloAddress? NewOwnerOf(IGrainContext context, PartitionMap current) =>
        current.GetOwner(partitions.Of(context.GrainId).Partition) is { } owner && !owner.Equals(silo.SiloAddress) ? owner : null;

    // Resolved late: the resolver of strategies needs parts that observe activations themselves.
    private bool IsPlacedByPartition(GrainType type) => services.GetRequiredService<PlacementStrategyResolver>().GetPlacementStrategy(type) is PartitionPlacement;
}
