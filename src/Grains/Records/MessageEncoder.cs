using System.Text;
using OrleansMqtt.Log;

namespace OrleansMqtt.Grains;

/// <summary>Makes the records of messages that the server itself publishes for a client, of any topic: QoS 2 of stored sessions, and wills.</summary>
internal sealed class MessageEncoder(IMessageLog log, RecordCodec codec, TopicRoutes routes)
{
    public (string Topic, LogRecord Record) Encode(MqttMessage message)
    {
        ReadOnlyMemory<byte>? local = message.PublisherClientId is { } publisher ? Encoding.UTF8.GetBytes(publisher) : null;
        var replyTopic = message.Properties?.ResponseTopic is { } responseTopic ? routes.ReplyTopicOf(responseTopic) : null;
        var path = routes.PathOf(message.Topic);
        var topicHeaders = codec.TopicHeaders(message.Topic, path.IsKeyedByTopic);
        return (path.Topic, codec.Encode(path.KeyOf(message.PublisherClientId), message, local, replyTopic, topicHeaders, path.PartitionIn(log)));
    }
}
