namespace OrleansMqtt;

/// <summary>The outcome of a SUBSCRIBE.</summary>
/// <param name="ReasonCodes">A reason code for each subscription, in order; null when the connection is not the living one any more.</param>
/// <param name="Starts">From where on the subscriptions count. The edge keeps it for sessions that are not stored, and hands it to a later owner.</param>
[GenerateSerializer, Immutable, Alias("subscribe-result")]
public sealed record SubscribeResult([property: Id(0)] byte[]? ReasonCodes, [property: Id(1)] SourceOffset[]? Starts = null);
