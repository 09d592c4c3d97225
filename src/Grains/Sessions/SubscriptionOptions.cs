namespace OrleansMqtt.Grains;

/// <summary>How a subscription wants its messages (MQTT 5, 3.8.3.1); see <see cref="Subscription"/>.</summary>
internal readonly record struct SubscriptionOptions(byte MaximumQoS, bool NoLocal, bool RetainAsPublished, byte RetainHandling, int Identifier)
{
    public static SubscriptionOptions Of(Subscription request) =>
        new(request.MaximumQoS, request.NoLocal, request.RetainAsPublished, request.RetainHandling, request.Identifier);
}
