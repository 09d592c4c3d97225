using System.Text;
using OrleansMqtt.Log;
using OrleansMqtt.Log.Kafka;

namespace OrleansMqtt.Grains;

/// <summary>Where the publishes of one MQTT topic go on the log, and with which key.</summary>
/// <param name="topic">The topic of the log.</param>
/// <param name="mqttTopic">The MQTT topic.</param>
/// <param name="key">The route's template of keys; null: the key is the MQTT topic.</param>
/// <param name="identity">The identity of a client in the MQTT topic; null when it has none.</param>
internal readonly struct PublishPath(string topic, string mqttTopic, KeyTemplate? key, string? identity)
{
    public string Topic => topic;

    /// <summary>Whether the key is the MQTT topic; if not, a header has to hold it.</summary>
    public bool IsKeyedByTopic => key is null;

    /// <summary>Whether each publisher has another key.</summary>
    public bool IsKeyedByClient => key is { HasClient: true };

    /// <summary>The key of a publisher's records.</summary>
    public byte[] KeyOf(string? client) => Encoding.UTF8.GetBytes(key is null ? mqttTopic : key.Format(mqttTopic, client, identity));

    /// <summary>The partition that the identity decides; null lets the key decide.</summary>
    public int? PartitionIn(IMessageLog log) =>
        identity is null ? null : KafkaPartitioner.PartitionOf(Encoding.UTF8.GetBytes(identity), log.GetPartitionCount(topic));
}
