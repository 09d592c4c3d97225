using Orleans.Runtime;

namespace OrleansMqtt;

/// <summary>What clients of one edge sent of QoS 2, in the order of its arrival.</summary>
[GenerateSerializer, Immutable, Alias("inbound-qos2-batch")]
public sealed class InboundQoS2Batch
{
    /// <summary>The edge that sends it.</summary>
    [Id(1)] public required SiloAddress Edge { get; init; }

    /// <summary>
    /// Grows with each attempt of this edge: an attempt that was overtaken by a later one, as when its silo had hung, must not be carried out any more, because the packet identifiers
    /// in it may be free by then.
    /// </summary>
    [Id(2)] public required long Sequence { get; init; }

    /// <summary>The owner's generation that the edge knows: a later owner refuses what was meant for an earlier one.</summary>
    [Id(3)] public required long Generation { get; init; }

    /// <summary>The packets.</summary>
    [Id(0)] public required ArraySegment<InboundQoS2> Items { get; init; }
}
