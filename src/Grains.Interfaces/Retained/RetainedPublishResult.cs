namespace OrleansMqtt;

/// <summary>The outcome of a <see cref="RetainedPublishBatch"/>.</summary>
/// <param name="Generation">The owner that answers; grows with each.</param>
/// <param name="IsStored">
/// Whether each message is stored; one that is not never will be, because it is too large for the log. Null when an earlier owner may have taken the batch: nothing of it was taken
/// now.
/// </param>
[GenerateSerializer, Immutable, Alias("retained-publish-result")]
public sealed record RetainedPublishResult([property: Id(0)] long Generation, [property: Id(1)] bool[]? IsStored);
