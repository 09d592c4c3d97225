namespace OrleansMqtt.Grains;

/// <summary>What became of a lease.</summary>
[GenerateSerializer, Immutable, Alias("lease-end")]
internal readonly record struct LeaseEnd([property: Id(0)] long Number, [property: Id(1)] LeaseEndKind Kind);
