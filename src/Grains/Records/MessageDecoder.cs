using OrleansMqtt.Log;

namespace OrleansMqtt.Grains;

/// <summary>Decodes the records of batches that a session partition reads from the log itself. One user at a time.</summary>
internal sealed class MessageDecoder(RecordCodec codec, TopicRoutes routes)
{
    private readonly Utf8StringCache _strings = new();

    /// <summary>The messages of a batch; records whose key is not a topic name are left out.</summary>
    public MqttMessage[] Decode(LogBatch batch)
    {
        var defaultQoS = routes.DefaultQoSOf(batch.Topic);
        List<MqttMessage> messages = new(batch.Records.Length);
        foreach (var record in batch.Records)
        {
            if (codec.Decode(record, defaultQoS, _strings) is { } message)
            {
                messages.Add(message);
            }
        }

        return [.. messages];
    }
}
