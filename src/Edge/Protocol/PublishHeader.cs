namespace OrleansMqtt.Edge.Protocol;

/// <summary>What a PUBLISH to a client has beside its message.</summary>
internal readonly struct PublishHeader
{
    /// <summary>The packet identifier; 0 at QoS 0.</summary>
    public ushort PacketId { get; init; }

    public byte QoS { get; init; }

    public bool IsDuplicate { get; init; }

    public bool IsRetained { get; init; }

    /// <summary>What is left of the Message Expiry Interval ([MQTT-3.3.2-6]); null when the message has none.</summary>
    public uint? RemainingExpiry { get; init; }

    /// <summary>The subscription identifiers; null when there are none.</summary>
    public int[]? SubscriptionIdentifiers { get; init; }

    public TopicAlias Alias { get; init; }
}
