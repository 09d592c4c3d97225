using Orleans.Placement;

namespace OrleansMqtt.Streams.Kafka;

/// <summary>
/// Places a grain on the silo that owns its partition. The partition is the grain's key (<c>topic/partition</c>), or what an <see cref="IGrainPartitionResolver"/> says.
/// A grain that is active stays where it is when the owner changes.
/// </summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class PartitionPlacementAttribute() : PlacementAttribute(new PartitionPlacement());
