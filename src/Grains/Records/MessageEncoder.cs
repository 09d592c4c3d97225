using System.Text;
using OrleansMqtt.Log;

namespace OrleansMqtt.Grains;

/// <summary>Makes the records of messages that the server itself publishes for a client, of any topic: QoS 2 of stored sessions, and wills.</summary>
internal sealed class MessageEncoder(RecordCodec codec, TopicRoutes routes)
{
    public (string Topic, LogRecord Record) Encode(MqttMessage message)
    {
        ReadOnlyMemory<byte>? local = message.PublisherClientId is { } publisher ? Encoding.UTF8.GetBytes(publisher) : null;
        var replyTopic = message.Properties?.ResponseTopic is { } responseTopic ? routes.TopicOf(responseTopic) : null;
        return (routes.TopicOf(message.Topic), codec.Encode(Encoding.UTF8.GetBytes(message.Topic), message, local, replyTopic));
    }
}
