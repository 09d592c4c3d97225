namespace OrleansMqtt.Grains;

/// <summary>The outcome of a SUBSCRIBE for the client's grain.</summary>
/// <param name="ReasonCodes">For each subscription, in order: the granted QoS, or from 0x80 on why it is refused.</param>
/// <param name="Starts">From where on they count, which is stored with them.</param>
[GenerateSerializer, Immutable, Alias("subscribe-outcome")]
internal sealed record SubscribeOutcome([property: Id(0)] byte[] ReasonCodes, [property: Id(1)] SourceOffset[] Starts);
