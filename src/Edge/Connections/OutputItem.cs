using OrleansMqtt.Edge.Protocol;

namespace OrleansMqtt.Edge.Connections;

/// <summary>What waits to be written to a client: a message, a packet that is already encoded, or an acknowledgement.</summary>
internal struct OutputItem
{
    /// <summary>A <see cref="MqttMessage"/> or the bytes of a packet; null for an acknowledgement.</summary>
    public object? Packet;

    /// <summary>The subscription identifiers of a message; null when there are none.</summary>
    public int[]? SubscriptionIdentifiers;

    public ushort PacketId;

    /// <summary>The QoS of a message; the reason code of an acknowledgement.</summary>
    public byte QoS;

    public bool IsDuplicate;

    /// <summary>The RETAIN flag of a message.</summary>
    public bool IsRetained;

    /// <summary>Not dropped when the client reads slowly: its sender waits.</summary>
    public bool IsPaced;

    /// <summary>Nothing to write: whoever sends to the client wants to know that all before it is written.</summary>
    public bool IsMark;

    /// <summary>PUBREL or PUBCOMP; otherwise not set.</summary>
    public PacketType Acknowledgement;

    /// <summary>About what it takes.</summary>
    public readonly int Bytes => Packet switch
    {
        MqttMessage message => message.Payload.Length + message.Topic.Length + 32,
        byte[] bytes => bytes.Length,
        _ => 4,
    };
}
