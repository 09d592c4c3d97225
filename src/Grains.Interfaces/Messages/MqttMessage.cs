namespace OrleansMqtt;

/// <summary>An MQTT application message, on its way in (not stored yet) or out (read from the log). Immutable: its memory is never written or reused.</summary>
[GenerateSerializer, Immutable, Alias("mqtt-message")]
public sealed class MqttMessage
{
    /// <summary>The topic name.</summary>
    [Id(0)] public required string Topic { get; init; }

    /// <summary>The payload, byte for byte.</summary>
    [Id(1)] public required ReadOnlyMemory<byte> Payload { get; init; }

    /// <summary>The QoS that it was published with: 0, 1 or 2.</summary>
    [Id(2)] public required byte QoS { get; init; }

    /// <summary>Whether the publisher asked for it to be retained.</summary>
    [Id(3)] public bool Retain { get; init; }

    /// <summary>The publisher's client identifier; null for a record that another Kafka producer wrote.</summary>
    [Id(4)] public string? PublisherClientId { get; init; }

    /// <summary>When it was published, in milliseconds since the Unix epoch; 0 takes the time of the append.</summary>
    [Id(5)] public long TimestampMilliseconds { get; init; }

    /// <summary>The MQTT 5 properties; null when it has none.</summary>
    [Id(6)] public MessageProperties? Properties { get; init; }

    /// <summary>Its offset in the partition that it was read from; -1 while it is not stored.</summary>
    [Id(7)] public long Offset { get; init; } = -1;

    /// <summary>The message as one that is published at another time.</summary>
    public MqttMessage At(long timestampMilliseconds) => new()
    {
        Topic = Topic,
        Payload = Payload,
        QoS = QoS,
        Retain = Retain,
        PublisherClientId = PublisherClientId,
        TimestampMilliseconds = timestampMilliseconds,
        Properties = Properties,
    };
}
