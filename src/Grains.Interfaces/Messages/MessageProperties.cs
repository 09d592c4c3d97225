namespace OrleansMqtt;

/// <summary>The properties of an MQTT 5 PUBLISH that travel with the message (MQTT 5, 3.3.2.3). Null where absent.</summary>
[GenerateSerializer, Immutable, Alias("message-properties")]
public sealed class MessageProperties
{
    /// <summary>Message Expiry Interval in seconds, as published.</summary>
    [Id(0)] public uint? ExpiryIntervalSeconds { get; init; }

    /// <summary>Content Type.</summary>
    [Id(1)] public string? ContentType { get; init; }

    /// <summary>Payload Format Indicator: true is UTF-8 text, false unspecified bytes.</summary>
    [Id(2)] public bool? IsText { get; init; }

    /// <summary>Response Topic.</summary>
    [Id(3)] public string? ResponseTopic { get; init; }

    /// <summary>Correlation Data.</summary>
    [Id(4)] public ReadOnlyMemory<byte>? CorrelationData { get; init; }

    /// <summary>User Properties in order; names may repeat.</summary>
    [Id(5)] public UserProperty[] UserProperties { get; init; } = [];
}
