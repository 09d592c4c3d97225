using System.Text;
using OrleansMqtt.Log;
using OrleansMqtt.Storage.Kafka;

namespace OrleansMqtt.Grains;

/// <summary>Makes the records of messages that are written in transactions, of any topic: retained ones, QoS 2 of stored sessions, and wills.</summary>
internal sealed class MessageEncoder(RecordCodec codec, TopicRoutes routes, RetainedPartitions retained)
{
    /// <summary>Adds the record of a message; of a retained one also its copy on the retained topic, which is the same record, or for an empty payload what deletes it.</summary>
    public void Add(MqttMessage message, List<StoreRecord> records)
    {
        ReadOnlyMemory<byte>? local = message.PublisherClientId is { } publisher ? (ReadOnlyMemory<byte>?)Encoding.UTF8.GetBytes(publisher) : null;
        var replyTopic = message.Properties?.ResponseTopic is { } responseTopic ? routes.TopicOf(responseTopic) : null;
        var record = codec.Encode(Encoding.UTF8.GetBytes(message.Topic), message, local, replyTopic);
        records.Add(new(routes.TopicOf(message.Topic), record));
        if (message.Retain)
        {
            records.Add(new(retained.Topic, message.Payload.IsEmpty ? new() { Key = record.Key, TimestampMilliseconds = record.TimestampMilliseconds } : record));
        }
    }
}
