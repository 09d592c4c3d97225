namespace OrleansMqtt;

/// <summary>How a connection ended.</summary>
/// <param name="Cause">Who ended it, and how.</param>
/// <param name="SessionExpirySeconds">The Session Expiry Interval of the client's DISCONNECT, which replaces that of CONNECT; null when it named none (MQTT 5, 3.14.2.2.2).</param>
[GenerateSerializer, Immutable, Alias("disconnect-notice")]
public readonly record struct DisconnectNotice([property: Id(0)] DisconnectCause Cause, [property: Id(1)] uint? SessionExpirySeconds);
