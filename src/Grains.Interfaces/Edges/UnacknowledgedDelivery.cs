namespace OrleansMqtt;

/// <summary>A delivery of QoS 1 or 2 that an edge has taken and its client has not acknowledged to the end.</summary>
/// <param name="PacketId">The packet identifier.</param>
/// <param name="Source">See <see cref="Delivery.Source"/>; <see cref="Delivery.NoSource"/> when the edge saw only its PUBREL.</param>
/// <param name="Offset">The message's offset.</param>
/// <param name="QoS">1 or 2.</param>
/// <param name="IsRetained">The RETAIN flag.</param>
/// <param name="Step">How far it came.</param>
[GenerateSerializer, Immutable, Alias("unacknowledged-delivery")]
public readonly record struct UnacknowledgedDelivery(
    [property: Id(0)] ushort PacketId,
    [property: Id(1)] int Source,
    [property: Id(2)] long Offset,
    [property: Id(3)] byte QoS,
    [property: Id(4)] bool IsRetained,
    [property: Id(5)] DeliveryStep Step);
