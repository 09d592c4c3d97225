using Orleans.Placement;

namespace OrleansMqtt.Streams.Kafka;

/// <summary>
/// Places a grain on the silo that owns its partition. The partition is the grain's key (<c>topic/partition</c>), or what an <see cref="IGrainPartitionResolver"/> says.
/// When the owner changes the grain leaves for the new one.
/// </summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class PartitionPlacementAttribute() : PlacementAttribute(new PartitionPlacement())
{
    /// <summary>Whether grains of other kinds move before: those whose absence is noticed most come to a silo that has taken others already.</summary>
    public bool MovesLast { get; init; }
}
