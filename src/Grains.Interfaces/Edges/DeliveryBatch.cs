namespace OrleansMqtt;

/// <summary>
/// Messages for connections of one edge, from one session partition. The sender uses its lists again once the call has returned: an edge in the same process keeps none of them.
/// </summary>
[GenerateSerializer, Immutable, Alias("delivery-batch")]
public sealed class DeliveryBatch
{
    /// <summary>The session partition that sends it.</summary>
    [Id(0)] public required int SessionPartition { get; init; }

    /// <summary>Grows with each new owner of the partition; an edge takes nothing of a generation older than the last it saw.</summary>
    [Id(1)] public required long Generation { get; init; }

    /// <summary>Counts the batches of this generation to this edge from 0; an edge takes only the next.</summary>
    [Id(2)] public required long Sequence { get; init; }

    /// <summary>The messages, each once, however many connections get it.</summary>
    [Id(3)] public required List<MqttMessage> Messages { get; init; }

    /// <summary>Who gets what, in order.</summary>
    [Id(4)] public required List<Delivery> Deliveries { get; init; }

    /// <summary>The subscription identifiers of deliveries, which are never changed; null when there are none.</summary>
    [Id(5)] public List<int[]>? IdentifierSets { get; init; }

    /// <summary>How long the first of the deliveries waited for those before it to be accepted: how late the owner is.</summary>
    [Id(6)] public TimeSpan Waited { get; init; }

    /// <summary>Whether a group of shared subscriptions falls behind, though its members could take more than it gives them.</summary>
    [Id(7)] public bool IsBehind { get; init; }
}
