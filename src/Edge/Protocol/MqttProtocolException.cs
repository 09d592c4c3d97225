using System.Diagnostics.CodeAnalysis;

namespace OrleansMqtt.Edge.Protocol;

/// <summary>What the client sent ends its connection. The message is for the client (Reason String) and the log.</summary>
internal sealed class MqttProtocolException(ReasonCode reasonCode, string message) : Exception(message)
{
    /// <summary>The reason for CONNACK or DISCONNECT.</summary>
    public ReasonCode ReasonCode { get; } = reasonCode;

    /// <summary>The packet does not follow the format (MQTT 5, 4.13.1).</summary>
    [DoesNotReturn]
    public static void ThrowMalformed(string message) => throw new MqttProtocolException(ReasonCode.MalformedPacket, message);

    /// <summary>The packet is well-formed but not allowed here (MQTT 5, 4.13.1).</summary>
    [DoesNotReturn]
    public static void ThrowProtocolError(string message) => throw new MqttProtocolException(ReasonCode.ProtocolError, message);
}
