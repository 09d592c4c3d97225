namespace OrleansMqtt.Storage.Kafka;

/// <summary>A state as it is stored; without an <see cref="ETag"/> there is none.</summary>
[GenerateSerializer, Immutable, Alias("stored-state")]
public readonly record struct StoredState([property: Id(0)] ReadOnlyMemory<byte> Value, [property: Id(1)] string? ETag);
