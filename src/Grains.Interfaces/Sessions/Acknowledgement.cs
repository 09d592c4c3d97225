namespace OrleansMqtt;

/// <summary>An acknowledgement by a client of a message that was sent to it.</summary>
[GenerateSerializer, Immutable, Alias("acknowledgement")]
public readonly struct Acknowledgement(int sessionSlot, ConnectionEpoch epoch, ushort packetId, AcknowledgementKind kind, byte reasonCode)
{
    /// <summary>From <see cref="ConnectResult.SessionSlot"/>.</summary>
    [Id(0)] public int SessionSlot { get; } = sessionSlot;

    /// <summary>From <see cref="ConnectResult.Epoch"/>.</summary>
    [Id(1)] public ConnectionEpoch Epoch { get; } = epoch;

    /// <summary>The packet identifier.</summary>
    [Id(2)] public ushort PacketId { get; } = packetId;

    /// <summary>The packet.</summary>
    [Id(3)] public AcknowledgementKind Kind { get; } = kind;

    /// <summary>Its reason code; 0 before MQTT 5.</summary>
    [Id(4)] public byte ReasonCode { get; } = reasonCode;
}
