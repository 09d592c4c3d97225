using System.Text;
using Microsoft.Extensions.Options;
using OrleansMqtt.Log;
using OrleansMqtt.Log.Kafka;

namespace OrleansMqtt.Grains;

/// <summary>Which partition of the sessions topic a client identifier belongs to.</summary>
internal sealed class SessionPartitions(IOptions<TopicsOptions> options)
{
    private readonly TopicOptions _sessions = options.Value.Sessions;

    public int Count => _sessions.Partitions;

    public TopicPartitionId Of(string clientId) => Of(KafkaPartitioner.PartitionOf(Encoding.UTF8.GetBytes(clientId), _sessions.Partitions));

    public TopicPartitionId Of(int partition) => new(_sessions.Name, partition);
}
