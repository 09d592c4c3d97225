using OrleansMqtt.Edge.Protocol;

namespace OrleansMqtt.Edge.Publishing;

/// <summary>The topic aliases of messages from one client: they take memory once it uses them, up to the greatest that it uses.</summary>
internal sealed class IncomingTopicAliases(ushort maximum)
{
    private PublishTopic?[] _topics = [];

    /// <summary>Takes the topic of a PUBLISH with an alias, or gives it the topic that the alias stands for.</summary>
    /// <exception cref="MqttProtocolException">The alias is not allowed, or unknown.</exception>
    public PublishTopic Resolve(ushort alias, ReadOnlySpan<byte> topic, PublishTopics topics)
    {
        // [MQTT-3.3.2-8], [MQTT-3.3.2-9]
        if (alias == 0 || alias > maximum)
        {
            throw new MqttProtocolException(ReasonCode.TopicAliasInvalid, maximum == 0
                ? "Topic aliases are not available: Topic Alias Maximum is 0."
                : $"Topic alias {alias} is not allowed: it must be from 1 to {maximum} (Topic Alias Maximum).");
        }

        if (topic.IsEmpty)
        {
            return alias <= _topics.Length && _topics[alias - 1] is { } known ? known : throw new MqttProtocolException(
                ReasonCode.ProtocolError, $"A PUBLISH has no topic, and no earlier one of this connection has given topic alias {alias} its topic.");
        }

        if (alias > _topics.Length)
        {
            Array.Resize(ref _topics, Math.Min(maximum, Math.Max(4, alias * 2)));
        }

        return _topics[alias - 1] is { } same && topic.SequenceEqual(same.Utf8) ? same : _topics[alias - 1] = topics.Get(topic);
    }
}
