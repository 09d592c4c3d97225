namespace OrleansMqtt.Log;

/// <summary>A header of a record; a null value is allowed and differs from an empty one.</summary>
[GenerateSerializer, Immutable, Alias("log-header")]
public readonly record struct LogHeader([property: Id(0)] string Name, [property: Id(1)] ReadOnlyMemory<byte>? Value);
