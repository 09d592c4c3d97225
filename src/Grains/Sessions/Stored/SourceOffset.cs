namespace OrleansMqtt.Grains;

/// <summary>An offset in a messages partition, which is named by its number in <see cref="PositionsRecord"/>.</summary>
[GenerateSerializer, Immutable, Alias("source-offset")]
internal readonly record struct SourceOffset([property: Id(0)] int Source, [property: Id(1)] long Offset);
