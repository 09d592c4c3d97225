namespace OrleansMqtt.Log;

/// <summary>
/// A stretch of a partition: all its committed records with offsets in [<see cref="From"/>, <see cref="To"/>). Offsets without a record (transaction markers, aborted
/// or compacted records) are part of the stretch, so that stretches join without gaps.
/// </summary>
[GenerateSerializer, Immutable, Alias("log-batch")]
public sealed class LogBatch
{
    /// <summary>The topic.</summary>
    [Id(0)] public required string Topic { get; init; }

    /// <summary>The partition.</summary>
    [Id(1)] public required int Partition { get; init; }

    /// <summary>The offset the stretch starts at.</summary>
    [Id(2)] public required long From { get; init; }

    /// <summary>The offset the next stretch starts at.</summary>
    [Id(3)] public required long To { get; init; }

    /// <summary>The records, by offset.</summary>
    [Id(4)] public required StoredRecord[] Records { get; init; }
}
