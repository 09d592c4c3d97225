using OrleansMqtt.Log;

namespace OrleansMqtt.Grains;

/// <summary>The topics of the log, and which MQTT topics go where. Configuration section <c>Topics</c>.</summary>
public sealed class TopicsOptions
{
    /// <summary>The topic of all MQTT messages that no route sends elsewhere.</summary>
    public TopicOptions Messages { get; set; } = new() { Name = "mqtt-messages", Partitions = 4 };

    /// <summary>The compacted topic of the retained messages.</summary>
    public TopicOptions Retained { get; set; } = new() { Name = "mqtt-retained", Partitions = 4 };

    /// <summary>The compacted topic of the sessions; its partitions are the units that silos share out.</summary>
    public TopicOptions Sessions { get; set; } = new() { Name = "mqtt-sessions", Partitions = 4 };

    /// <summary>What the names of record headers that mean something in MQTT start with.</summary>
    public string HeaderPrefix { get; set; } = "zilla:";

    /// <summary>Whether each record carries a <c>filter</c> header per level of its MQTT topic, and a <c>reply-filter</c> header per level of its response topic.</summary>
    public bool FilterHeaders { get; set; }

    /// <summary>The QoS of a record without a <c>qos</c> header, written by another Kafka producer: 0, 1 or 2.</summary>
    public byte DefaultQoS { get; set; } = 1;

    /// <summary>
    /// Where MQTT topics hold a client's identity: filters with <c>{identity}</c> as one of their levels, such as <c>place/{identity}/#</c>. The identity decides the partition,
    /// so that all messages of a client share one. The first that matches counts.
    /// </summary>
    public IList<string> Clients { get; } = [];

    /// <summary>MQTT topics that live on other topics of the log; the first with a filter that matches takes a publish.</summary>
    public IList<RouteOptions> Routes { get; } = [];

    /// <summary>All topics of messages, each once, with what they must be like.</summary>
    internal IReadOnlyList<TopicSpecification> MessageTopics() =>
    [
        new(Messages.Name, Messages.Partitions, IsCompacted: false),
        .. Routes.Where(route => route.Topic != Messages.Name).GroupBy(route => route.Topic)
            .Select(routes => new TopicSpecification(routes.Key, PartitionsOf(routes), IsCompacted: false, AcceptAnyPartitionCount: true)),
    ];

    /// <summary>All topics, with what they must be like.</summary>
    public IReadOnlyList<TopicSpecification> AllTopics() =>
    [
        .. MessageTopics(),
        new(Retained.Name, Retained.Partitions, IsCompacted: true),
        new(Sessions.Name, Sessions.Partitions, IsCompacted: true),
    ];

    private static int PartitionsOf(IEnumerable<RouteOptions> routes) => routes.Select(route => route.Partitions).FirstOrDefault(partitions => partitions is not null) ?? 4;
}
