namespace OrleansMqtt;

/// <summary>The packets that acknowledge a message.</summary>
public enum AcknowledgementKind : byte
{
    /// <summary>PUBACK: ends a QoS 1 delivery.</summary>
    PubAck,

    /// <summary>The edge could not send it (larger than the client's Maximum Packet Size, or expired): counts as delivered ([MQTT-3.1.2-25]).</summary>
    NotSent,

    /// <summary>PUBREC: the client has a QoS 2 message; a PUBREL follows. With a reason code of 0x80 or more it ends the delivery.</summary>
    PubRec,

    /// <summary>PUBCOMP: ends a QoS 2 delivery.</summary>
    PubComp,

    /// <summary>No packet of the client: what was sent before a <see cref="Delivery.Mark"/> is written. The packet identifier is 0.</summary>
    Written,
}
