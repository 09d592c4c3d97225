namespace OrleansMqtt;

/// <summary>The client's session, for CONNACK and for what follows.</summary>
/// <param name="Epoch">Names the connection in every later call.</param>
/// <param name="SessionPresent">Whether a stored session goes on.</param>
/// <param name="SessionPartition">The partition that acknowledgements go to.</param>
/// <param name="SessionSlot">The session's place in that partition, for acknowledgements.</param>
/// <param name="SessionExpirySeconds">The Session Expiry Interval that counts: the client's, or the configured maximum.</param>
/// <param name="SystemSubscriptions">The subscriptions of the session below <c>$SYS</c>, whose messages the edge makes; null when there are none.</param>
[GenerateSerializer, Immutable, Alias("connect-result")]
public sealed record ConnectResult(
    [property: Id(0)] ConnectionEpoch Epoch,
    [property: Id(1)] bool SessionPresent,
    [property: Id(2)] int SessionPartition,
    [property: Id(3)] int SessionSlot,
    [property: Id(4)] uint SessionExpirySeconds,
    [property: Id(5)] Subscription[]? SystemSubscriptions = null);
