namespace OrleansMqtt.Streams.Kafka;

/// <summary>The placement strategy of <see cref="PartitionPlacementAttribute"/>.</summary>
[GenerateSerializer, Immutable, SuppressReferenceTracking]
public sealed class PartitionPlacement : PlacementStrategy;
