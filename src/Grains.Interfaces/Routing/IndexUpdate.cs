namespace OrleansMqtt;

/// <summary>A change of the filters that a session partition wants of a messages partition.</summary>
[GenerateSerializer, Immutable, Alias("index-update")]
public sealed class IndexUpdate
{
    /// <summary>The session partition.</summary>
    [Id(0)] public required int SessionPartition { get; init; }

    /// <summary>Its generation: a newer one replaces all that older ones said, an older one is refused.</summary>
    [Id(1)] public required long Generation { get; init; }

    /// <summary>The version of the partition's filters after this change; counts up by one.</summary>
    [Id(2)] public required long Version { get; init; }

    /// <summary>Whether <see cref="Added"/> is all that the partition wants.</summary>
    [Id(3)] public required bool IsComplete { get; init; }

    /// <summary>Filters that the partition did not have.</summary>
    [Id(4)] public required string[] Added { get; init; }

    /// <summary>Filters that it has no longer.</summary>
    [Id(5)] public required string[] Removed { get; init; }

    /// <summary>The identity of the topic that the partition reads; empty when it is not known. A router that reads another one (it was made anew) refuses the change.</summary>
    [Id(6)] public required Guid TopicId { get; init; }
}
