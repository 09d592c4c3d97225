namespace OrleansMqtt;

/// <summary>A subscription as the client asked for it (MQTT 5, 3.8.3.1).</summary>
[GenerateSerializer, Immutable, Alias("subscription")]
public sealed record Subscription
{
    /// <summary>The topic filter, valid.</summary>
    [Id(0)] public required string Filter { get; init; }

    /// <summary>The greatest QoS that messages are sent with.</summary>
    [Id(1)] public required byte MaximumQoS { get; init; }

    /// <summary>Whether messages of the same client identifier are left out ([MQTT-3.8.3-3]).</summary>
    [Id(2)] public bool NoLocal { get; init; }
}
