using OrleansMqtt.Log;

namespace OrleansMqtt;

/// <summary>
/// What of a stretch [<see cref="From"/>, <see cref="To"/>) of a messages partition matches the filters of one session partition. Stretches to one target join; a gap or a
/// mismatch makes the target read the stretch from the log itself.
/// </summary>
[GenerateSerializer, Immutable, Alias("routed-batch")]
public sealed class RoutedBatch
{
    /// <summary>The messages partition.</summary>
    [Id(0)] public required TopicPartitionId Source { get; init; }

    /// <summary>The generation of the target that the filters came from.</summary>
    [Id(1)] public required long TargetGeneration { get; init; }

    /// <summary>The first offset of the stretch.</summary>
    [Id(2)] public required long From { get; init; }

    /// <summary>The offset after the stretch.</summary>
    [Id(3)] public required long To { get; init; }

    /// <summary>The messages that match, by offset.</summary>
    [Id(4)] public required ArraySegment<MqttMessage> Messages { get; init; }
}
