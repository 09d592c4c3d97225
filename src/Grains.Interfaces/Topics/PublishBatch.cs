using OrleansMqtt.Log;

namespace OrleansMqtt;

/// <summary>
/// Consecutive messages of one connection for one topic. It never leaves its process (<see cref="ITopicGrain"/> is always local), so it has no serializer: sending it
/// elsewhere fails instead of losing the completion.
/// </summary>
[Immutable]
public sealed class PublishBatch
{
    /// <summary>The messages, all for the topic of the grain.</summary>
    public required IReadOnlyList<MqttMessage> Messages { get; init; }

    /// <summary>Called once for each message, with <see cref="FirstState"/> plus the message's index. Calls may come from any thread, and before the grain call returns.</summary>
    public required IAppendCompletion Completion { get; init; }

    /// <summary>The state of the first message.</summary>
    public required long FirstState { get; init; }
}
