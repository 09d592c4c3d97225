namespace OrleansMqtt;

/// <summary>The outcome of an UNSUBSCRIBE: whether each filter was subscribed, in order; null when the connection is not the living one any more.</summary>
[GenerateSerializer, Immutable, Alias("unsubscribe-result")]
public sealed record UnsubscribeResult([property: Id(0)] bool[]? Existed);
