namespace OrleansMqtt;

/// <summary>The outcome of an <see cref="IndexUpdate"/>.</summary>
/// <param name="RouterGeneration">The router's generation; grows with each activation.</param>
/// <param name="IsApplied">False when the router misses earlier changes: it wants all filters.</param>
/// <param name="Position">The offset from which on batches are matched with the change.</param>
/// <param name="EndOffset">The end of the partition after the change: a message published after the call has this offset or a greater one.</param>
[GenerateSerializer, Immutable, Alias("update-index-result")]
public sealed record UpdateIndexResult(
    [property: Id(0)] long RouterGeneration,
    [property: Id(1)] bool IsApplied,
    [property: Id(2)] long Position,
    [property: Id(3)] long EndOffset);
