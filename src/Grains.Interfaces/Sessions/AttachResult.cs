using Orleans.Runtime;

namespace OrleansMqtt;

/// <summary>The outcome of an attach.</summary>
/// <param name="Connect">What the edge is told.</param>
/// <param name="PreviousEdge">The edge of the connection that was the living one until now; null when there was none.</param>
/// <param name="PreviousConnectionId">Its number.</param>
[GenerateSerializer, Immutable, Alias("attach-result")]
public sealed record AttachResult(
    [property: Id(0)] ConnectResult Connect,
    [property: Id(1)] SiloAddress? PreviousEdge,
    [property: Id(2)] long PreviousConnectionId);
