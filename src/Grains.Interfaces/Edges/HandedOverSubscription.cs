namespace OrleansMqtt;

/// <summary>A subscription of a session that is not stored, as its edge knows it.</summary>
/// <param name="Subscription">What the client asked for.</param>
/// <param name="Starts">From where on it counts (<see cref="SubscribeResult.Starts"/>).</param>
[GenerateSerializer, Immutable, Alias("handed-over-subscription")]
public sealed record HandedOverSubscription([property: Id(0)] Subscription Subscription, [property: Id(1)] SourceOffset[] Starts);
