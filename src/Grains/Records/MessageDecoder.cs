using OrleansMqtt.Log;

namespace OrleansMqtt.Grains;

/// <summary>Decodes the records of batches that a session partition reads from the log itself. One user at a time.</summary>
internal sealed class MessageDecoder(RecordCodec codec, TopicRoutes routes)
{
    private readonly Utf8StringCache _strings = new();

    /// <summary>The messages of a batch; records that are no message for subscribers are left out.</summary>
    public MqttMessage[] Decode(LogBatch batch)
    {
        var topic = routes.MessagesTopicOf(batch.Topic);
        List<MqttMessage> messages = new(batch.Records.Length);
        foreach (var record in batch.Records)
        {
            if (codec.Decode(record, topic.DefaultQoS, _strings) is { } message && topic.Includes(message.Topic))
            {
                messages.Add(message);
            }
        }

        return [.. messages];
    }
}
