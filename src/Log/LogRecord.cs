namespace OrleansMqtt.Log;

/// <summary>A record to be appended.</summary>
public readonly struct LogRecord
{
    /// <summary>The key; decides the partition (murmur2, as Kafka's default partitioner) unless <see cref="Partition"/> is set.</summary>
    public required ReadOnlyMemory<byte> Key { get; init; }

    /// <summary>The value; null is a tombstone, which deletes the key from a compacted topic.</summary>
    public ReadOnlyMemory<byte>? Value { get; init; }

    /// <summary>Headers in order; names may repeat.</summary>
    public LogHeader[] Headers { get; init; }

    /// <summary>Milliseconds since the Unix epoch; 0 takes the time of the append.</summary>
    public long TimestampMilliseconds { get; init; }

    /// <summary>The partition to append to; null lets the key decide.</summary>
    public int? Partition { get; init; }
}
