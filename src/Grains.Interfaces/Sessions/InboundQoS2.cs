namespace OrleansMqtt;

/// <summary>A QoS 2 PUBLISH of a client whose session outlives its connection, or the PUBREL of one.</summary>
[GenerateSerializer, Immutable, Alias("inbound-qos2")]
public readonly struct InboundQoS2(int sessionSlot, ConnectionEpoch epoch, ushort packetId, MqttMessage? message)
{
    /// <summary>From <see cref="ConnectResult.SessionSlot"/>.</summary>
    [Id(0)] public int SessionSlot { get; } = sessionSlot;

    /// <summary>From <see cref="ConnectResult.Epoch"/>.</summary>
    [Id(1)] public ConnectionEpoch Epoch { get; } = epoch;

    /// <summary>The packet identifier.</summary>
    [Id(2)] public ushort PacketId { get; } = packetId;

    /// <summary>The message; null for a PUBREL.</summary>
    [Id(3)] public MqttMessage? Message { get; } = message;
}
