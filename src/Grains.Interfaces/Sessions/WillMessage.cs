namespace OrleansMqtt;

/// <summary>The message that is published for a client whose connection ends without a normal DISCONNECT (MQTT 5, 3.1.2.5).</summary>
[GenerateSerializer, Immutable, Alias("will-message")]
public sealed class WillMessage
{
    /// <summary>The message, with the client as its publisher. Its time is that of its publication.</summary>
    [Id(0)] public required MqttMessage Message { get; init; }

    /// <summary>Will Delay Interval in seconds (MQTT 5, 3.1.3.2.2).</summary>
    [Id(1)] public uint DelaySeconds { get; init; }
}
