using Orleans.Runtime;

namespace OrleansMqtt;

/// <summary>Publishes that are to be retained, of one edge's clients, in the order of their arrival.</summary>
[GenerateSerializer, Immutable, Alias("retained-publish-batch")]
public sealed class RetainedPublishBatch
{
    /// <summary>The silo of the edge.</summary>
    [Id(0)] public required SiloAddress Edge { get; init; }

    /// <summary>Counts the batches of the edge to this partition; the same for each attempt.</summary>
    [Id(1)] public required long Sequence { get; init; }

    /// <summary>The owner that may have taken the batch at an earlier attempt: no other takes it. 0 for the first attempt.</summary>
    [Id(2)] public required long Generation { get; init; }

    /// <summary>The messages.</summary>
    [Id(3)] public required ArraySegment<MqttMessage> Messages { get; init; }
}
