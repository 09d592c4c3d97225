namespace OrleansMqtt;

/// <summary>One message for one connection.</summary>
[GenerateSerializer, Immutable, Alias("delivery")]
public readonly struct Delivery(long connectionId, int messageIndex, ushort packetId, byte qos, bool isDuplicate)
{
    /// <summary>From <see cref="ConnectRequest.ConnectionId"/>.</summary>
    [Id(0)] public long ConnectionId { get; } = connectionId;

    /// <summary>The index in <see cref="DeliveryBatch.Messages"/>.</summary>
    [Id(1)] public int MessageIndex { get; } = messageIndex;

    /// <summary>The packet identifier; 0 at QoS 0.</summary>
    [Id(2)] public ushort PacketId { get; } = packetId;

    /// <summary>The QoS to send it with.</summary>
    [Id(3)] public byte QoS { get; } = qos;

    /// <summary>The DUP flag.</summary>
    [Id(4)] public bool IsDuplicate { get; } = isDuplicate;
}
