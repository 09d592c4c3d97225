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

    /// <summary>Whether messages are forwarded with the RETAIN flag that they were published with ([MQTT-3.3.1-13]).</summary>
    [Id(3)] public bool RetainAsPublished { get; init; }

    /// <summary>Whether retained messages are sent when it is made: 0 always, 1 if there was no such subscription, 2 never.</summary>
    [Id(4)] public byte RetainHandling { get; init; }

    /// <summary>Subscription Identifier, 1 to 268,435,455; 0 when it has none.</summary>
    [Id(5)] public int Identifier { get; init; }
}
