using Microsoft.Extensions.Options;
using OrleansMqtt.Log;

namespace OrleansMqtt.Grains;

/// <summary>
/// Where MQTT topics live on the log: publishes by the first route with a filter that matches, else on the messages topic. Subscribers get the records of each topic of the log
/// whose MQTT topic its routes name for them, and all of the messages topic: another producer may write any key there.
/// </summary>
internal sealed class TopicRoutes
{
    private readonly Dictionary<string, MessagesTopic> _topics;
    private readonly PublishRule[] _publish;
    private readonly (string Filter, string Topic)[] _subscribe;
    private readonly ClientPattern[] _clients;
    private readonly string _messages;
    private readonly MessagesTopic _retained;

    public TopicRoutes(IOptions<TopicsOptions> options)
    {
        var topics = options.Value;
        _messages = topics.Messages.Name;
        _retained = new(topics.Retained.Name, topics.DefaultQoS, filters: null);
        _topics = topics.MessageTopics().ToDictionary(topic => topic.Name, topic => CreateTopic(topics, topic.Name), StringComparer.Ordinal);
        _publish =
        [
            .. topics.Routes.SelectMany(route => route.PublishFilters(), (route, filter) =>
                new PublishRule(filter, route.Topic, route.Key == KeyTemplate.Topic ? null : KeyTemplate.TryParse(route.Key))),
        ];
        _subscribe = [.. topics.Routes.SelectMany(route => route.SubscribeFilters(), (route, filter) => (filter, route.Topic))];
        _clients = [.. topics.Clients.Select(pattern => new ClientPattern(pattern))];
        Topics = [.. _topics.Values.Where(topic => topic.IsRead).Select(topic => topic.Name)];
    }

    /// <summary>The topics that subscribers get messages from; those that are published to only are not read.</summary>
    public IReadOnlyList<string> Topics { get; }

    /// <summary>The partitions of <see cref="Topics"/> on a log that knows them, topic by topic.</summary>
    public TopicPartitionId[] PartitionsOn(IMessageLog log) =>
        [.. Topics.SelectMany(topic => Enumerable.Range(0, log.GetPartitionCount(topic)), static (topic, partition) => new TopicPartitionId(topic, partition))];

    /// <summary>The topic that a publish goes to.</summary>
    public string TopicOf(string mqttTopic) => RuleOf(mqttTopic)?.Topic ?? _messages;

    /// <summary>The topic from which the subscribers of an MQTT topic get what another producer answers.</summary>
    public string ReplyTopicOf(string mqttTopic)
    {
        foreach (var (filter, topic) in _subscribe)
        {
            if (TopicFilter.Matches(filter, mqttTopic))
            {
                return topic;
            }
        }

        return _messages;
    }

    /// <summary>The way of the publishes of an MQTT topic.</summary>
    public PublishPath PathOf(string mqttTopic)
    {
        var rule = RuleOf(mqttTopic);
        return new(rule?.Topic ?? _messages, mqttTopic, rule?.Key, IdentityOf(mqttTopic));
    }

    /// <summary>Whether a subscription has to read a topic of the log.</summary>
    public bool Reaches(string filter, string topic) => _topics[topic].IsReachedBy(filter);

    /// <summary>A topic of the log that holds messages, or the retained topic.</summary>
    public MessagesTopic MessagesTopicOf(string topic) => topic == _retained.Name ? _retained : _topics[topic];

    private static MessagesTopic CreateTopic(TopicsOptions options, string name)
    {
        if (name == options.Messages.Name)
        {
            return new(name, options.DefaultQoS, filters: null);
        }

        var routes = options.Routes.Where(route => route.Topic == name).ToList();
        return new(
            name,
            routes.Select(route => route.DefaultQoS).FirstOrDefault(qos => qos is not null) ?? options.DefaultQoS,
            [.. routes.SelectMany(route => route.SubscribeFilters()).Distinct()]);
    }

    private PublishRule? RuleOf(string mqttTopic)
    {
        foreach (var rule in _publish)
        {
            if (TopicFilter.Matches(rule.Filter, mqttTopic))
            {
                return rule;
            }
        }

        return null;
    }

    private string? IdentityOf(string mqttTopic)
    {
        foreach (var pattern in _clients)
        {
            if (pattern.IdentityOf(mqttTopic) is { } identity)
            {
                return identity;
            }
        }

        return null;
    }

    private sealed record PublishRule(string Filter, string Topic, KeyTemplate? Key);
}
