namespace OrleansMqtt.Log;

/// <summary>A record as read from the log. Its memory belongs to the record and stays valid.</summary>
[GenerateSerializer, Immutable, Alias("stored-record")]
public sealed class StoredRecord
{
    /// <summary>The offset in its partition.</summary>
    [Id(0)] public required long Offset { get; init; }

    /// <summary>Milliseconds since the Unix epoch.</summary>
    [Id(1)] public required long TimestampMilliseconds { get; init; }

    /// <summary>The key; null when the producer gave none.</summary>
    [Id(2)] public required ReadOnlyMemory<byte>? Key { get; init; }

    /// <summary>The value; null is a tombstone.</summary>
    [Id(3)] public required ReadOnlyMemory<byte>? Value { get; init; }

    /// <summary>Headers in order; names may repeat.</summary>
    [Id(4)] public required LogHeader[] Headers { get; init; }
}
