namespace OrleansMqtt.Grains;

/// <summary>A topic of the log that holds messages, as its readers see it.</summary>
/// <param name="name">Its name.</param>
/// <param name="defaultQoS">The QoS of its records that carry none.</param>
/// <param name="filters">Which MQTT topics subscribers get from it; null: all.</param>
internal sealed class MessagesTopic(string name, byte defaultQoS, string[]? filters)
{
    public string Name { get; } = name;

    public byte DefaultQoS { get; } = defaultQoS;

    /// <summary>Whether subscribers get anything from it.</summary>
    public bool IsRead => filters is not { Length: 0 };

    /// <summary>
    /// Whether subscribers get records of an MQTT topic from it. Any producer may write any topic there, so that without this it would depend on the other filters of a partition's
    /// sessions whether one of them sees a record.
    /// </summary>
    public bool Includes(string mqttTopic)
    {
        if (filters is null)
        {
            return true;
        }

        foreach (var filter in filters)
        {
            if (TopicFilter.Matches(filter, mqttTopic))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether a subscription can get anything from it.</summary>
    public bool IsReachedBy(string filter) => filters is null || Array.Exists(filters, own => TopicFilter.Overlaps(own, filter));
}
