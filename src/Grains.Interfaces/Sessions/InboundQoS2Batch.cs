namespace OrleansMqtt;

/// <summary>What clients of one edge sent of QoS 2, in the order of its arrival.</summary>
[GenerateSerializer, Immutable, Alias("inbound-qos2-batch")]
public sealed class InboundQoS2Batch
{
    /// <summary>The packets.</summary>
    [Id(0)] public required ArraySegment<InboundQoS2> Items { get; init; }
}
