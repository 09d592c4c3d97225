namespace OrleansMqtt.Grains;

/// <summary>A subscription as it is stored.</summary>
/// <param name="Subscription">What the client asked for, with the QoS that was granted.</param>
/// <param name="Starts">From where on it counts: offsets by the number of their source (<see cref="PositionsRecord"/>). One SUBSCRIBE's subscriptions share it.</param>
internal sealed record StoredSubscription(Subscription Subscription, SourceOffset[] Starts);
