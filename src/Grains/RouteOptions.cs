namespace OrleansMqtt.Grains;

/// <summary>Connects MQTT topics with a topic of the log, in one direction or in both.</summary>
public sealed class RouteOptions
{
    /// <summary>An MQTT topic filter for both directions, such as <c>site/+/telemetry</c>; the same as to name it in <see cref="Publish"/> and in <see cref="Subscribe"/>.</summary>
    public string? Filter { get; set; }

    /// <summary>Publishes to MQTT topics that one of these filters matches go to the topic of the log, unless an earlier route takes them.</summary>
    public IList<string> Publish { get; } = [];

    /// <summary>Records of the topic of the log whose MQTT topic one of these filters matches reach the subscribers.</summary>
    public IList<string> Subscribe { get; } = [];

    /// <summary>The topic of the log.</summary>
    public string Topic { get; set; } = "";

    /// <summary>Its partitions when it has to be created; 4 when no route says it.</summary>
    public int? Partitions { get; set; }

    /// <summary>The QoS of its records that carry none: 0, 1 or 2; <see cref="TopicsOptions.DefaultQoS"/> when no route says it.</summary>
    public byte? DefaultQoS { get; set; }

    /// <summary>
    /// The key of the records that this route writes: text with <c>{topic}</c>, <c>{client}</c> (the publisher's client identifier), <c>{identity}</c> (see
    /// <see cref="TopicsOptions.Clients"/>) and <c>{1}</c>, <c>{2}</c>, … for the levels of the MQTT topic. With any other than <c>{topic}</c>, a header holds the MQTT topic.
    /// </summary>
    public string Key { get; set; } = KeyTemplate.Topic;

    /// <summary>The filters of publishes.</summary>
    internal IEnumerable<string> PublishFilters() => string.IsNullOrEmpty(Filter) ? Publish : Publish.Prepend(Filter);

    /// <summary>The filters of subscriptions.</summary>
    internal IEnumerable<string> SubscribeFilters() => string.IsNullOrEmpty(Filter) ? Subscribe : Subscribe.Prepend(Filter);
}
