namespace OrleansMqtt.Grains;

/// <summary>What of a retained partition is wanted: messages with offsets from <see cref="From"/> to before <see cref="Before"/> that match.</summary>
[GenerateSerializer, Immutable, Alias("retained-query")]
internal sealed record RetainedQuery
{
    [Id(0)] public required string Filter { get; init; }

    [Id(1)] public required long From { get; init; }

    /// <summary>The end of the partition when the subscription was made: what comes at or behind it is delivered as it is published, unless another producer wrote it.</summary>
    [Id(2)] public required long Before { get; init; }

    /// <summary>How far the partition must have been read before it answers.</summary>
    [Id(3)] public required long AtLeast { get; init; }

    [Id(4)] public required int MaximumCount { get; init; }

    /// <summary>About; one message is always returned.</summary>
    [Id(5)] public required int MaximumBytes { get; init; }
}
