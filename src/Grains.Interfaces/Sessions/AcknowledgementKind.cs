namespace OrleansMqtt;

/// <summary>The packets that acknowledge a message.</summary>
public enum AcknowledgementKind : byte
{
    /// <summary>PUBACK: ends a QoS 1 delivery.</summary>
    PubAck,

    /// <summary>The edge could not send it (larger than the client's Maximum Packet Size): counts as delivered ([MQTT-3.1.2-25]).</summary>
    NotSent,
}
