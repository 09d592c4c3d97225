using System.Text;
using OrleansMqtt.Log;
using OrleansMqtt.Storage.Kafka;

namespace OrleansMqtt.Grains;

/// <summary>Makes the records of messages that are written in transactions, of any topic: retained ones, QoS 2 of stored sessions, and wills.</summary>
internal sealed class MessageEncoder(IMessageLog log, RecordCodec codec, TopicRoutes routes, RetainedPartitions retained)
{
    /// <summary>Adds the record of a message; of a retained one also its copy on the retained topic, which is the same record with the MQTT topic as its key, or for an empty payload what deletes it.</summary>
    public void Add(MqttMessage message, List<StoreRecord> records)
    {
        ReadOnlyMemory<byte>? local = message.PublisherClientId is { } publisher ? (ReadOnlyMemory<byte>?)Encoding.UTF8.GetBytes(publisher) : null;
        var replyTopic = message.Properties?.ResponseTopic is { } responseTopic ? routes.ReplyTopicOf(responseTopic) : null;
        var path = routes.PathOf(message.Topic);
        var topicHeaders = codec.TopicHeaders(message.Topic, path.IsKeyedByTopic);
        records.Add(new(path.Topic, codec.Encode(path.KeyOf(message.PublisherClientId), message, local, replyTopic, topicHeaders, path.PartitionIn(log))));
        if (message.Retain)
        {
            var key = Encoding.UTF8.GetBytes(message.Topic);
            records.Add(new(
                retained.Topic,
                message.Payload.IsEmpty ? new() { Key = key, TimestampMilliseconds = message.TimestampMilliseconds } : codec.Encode(key, message, local, replyTopic)));
        }
    }
}
