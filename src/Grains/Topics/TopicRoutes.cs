using Microsoft.Extensions.Options;

namespace OrleansMqtt.Grains;

/// <summary>Where MQTT topics live on the log: the first route whose filter matches, else the messages topic.</summary>
internal sealed class TopicRoutes(IOptions<TopicsOptions> options)
{
    private readonly TopicsOptions _options = options.Value;

    /// <summary>All topics of messages.</summary>
    public IReadOnlyList<string> Topics { get; } = [.. options.Value.MessageTopics().Select(topic => topic.Name)];

    /// <summary>The topic that a publish goes to.</summary>
    public string TopicOf(string mqttTopic)
    {
        foreach (var route in _options.Routes)
        {
            if (TopicFilter.Matches(route.Filter, mqttTopic))
            {
                return route.Topic;
            }
        }

        return _options.Messages.Name;
    }

    /// <summary>
    /// Whether a subscription has to read a topic of the log. The messages topic always: another producer may write any key there.
    /// </summary>
    public bool Reaches(string filter, string topic)
    {
        if (topic == _options.Messages.Name)
        {
            return true;
        }

        foreach (var route in _options.Routes)
        {
            if (route.Topic == topic && TopicFilter.Overlaps(route.Filter, filter))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The QoS of a topic's records that carry none. Those of the retained topic go by the messages topic.</summary>
    public byte DefaultQoSOf(string topic) =>
        topic == _options.Messages.Name ? _options.DefaultQoS : _options.Routes.FirstOrDefault(route => route.Topic == topic)?.DefaultQoS ?? _options.DefaultQoS;
}
