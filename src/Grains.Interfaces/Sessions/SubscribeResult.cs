namespace OrleansMqtt;

/// <summary>The outcome of a SUBSCRIBE: a reason code for each subscription, in order; null when the connection is not the living one any more.</summary>
[GenerateSerializer, Immutable, Alias("subscribe-result")]
public sealed record SubscribeResult([property: Id(0)] byte[]? ReasonCodes);
