namespace OrleansMqtt;

/// <summary>An offset in a partition of the log, which is named by the number that a session partition has given it for good.</summary>
/// <param name="Source">The number.</param>
/// <param name="Offset">The offset.</param>
[GenerateSerializer, Immutable, Alias("source-offset")]
public readonly record struct SourceOffset([property: Id(0)] int Source, [property: Id(1)] long Offset);
