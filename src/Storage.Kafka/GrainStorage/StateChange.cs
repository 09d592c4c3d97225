namespace OrleansMqtt.Storage.Kafka;

/// <summary>
/// What became of a change of a state. A conflict is an answer and no exception: Orleans deactivates the grain that lets an <c>InconsistentStateException</c> out, and that has to
/// be the grain that owns the state, not the partition.
/// </summary>
/// <param name="ETag">The ETag of what is stored now; null when nothing is.</param>
/// <param name="IsConflict">Whether the change was refused, because the caller's ETag is another.</param>
[GenerateSerializer, Immutable, Alias("state-change")]
public readonly record struct StateChange([property: Id(0)] string? ETag, [property: Id(1)] bool IsConflict);
