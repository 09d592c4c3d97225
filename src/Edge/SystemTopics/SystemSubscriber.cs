using OrleansMqtt.Edge.Connections;
using OrleansMqtt.Edge.Protocol;

namespace OrleansMqtt.Edge.SystemTopics;

/// <summary>A connection whose session has subscriptions below <c>$SYS</c>.</summary>
internal sealed class SystemSubscriber(MqttConnection connection)
{
    private readonly Dictionary<string, Subscription> _subscriptions = new(StringComparer.Ordinal);

    /// <summary>Adds or replaces a subscription; false when there was one of that filter.</summary>
    public bool Set(Subscription subscription)
    {
        lock (_subscriptions)
        {
            var isNew = !_subscriptions.ContainsKey(subscription.Filter);
            _subscriptions[subscription.Filter] = subscription;
            return isNew;
        }
    }

    /// <summary>Removes subscriptions; true when none is left.</summary>
    public bool Remove(string[] filters)
    {
        lock (_subscriptions)
        {
            foreach (var filter in filters)
            {
                _subscriptions.Remove(filter);
            }

            return _subscriptions.Count == 0;
        }
    }

    /// <summary>Sends the values as messages that are just published.</summary>
    public void Send(MqttMessage[] values)
    {
        var isScheduled = true;
        lock (_subscriptions)
        {
            foreach (var value in values)
            {
                var matches = 0;
                var isRetained = false;
                List<int>? identifiers = null;
                foreach (var subscription in _subscriptions.Values)
                {
                    if (TopicSyntax.Matches(subscription.Filter, value.Topic))
                    {
                        matches++;
                        isRetained |= subscription.RetainAsPublished;
                        AddIdentifier(ref identifiers, subscription);
                    }
                }

                if (matches > 0)
                {
                    isScheduled &= !Enqueue(value, isRetained, identifiers);
                }
            }
        }

        if (!isScheduled)
        {
            connection.Output.Schedule();
        }
    }

    /// <summary>Sends the values that a subscription just made finds, as retained messages.</summary>
    public void SendRetained(Subscription subscription, MqttMessage[] values)
    {
        List<int>? identifiers = null;
        AddIdentifier(ref identifiers, subscription);
        var isScheduled = true;
        foreach (var value in values)
        {
            if (TopicSyntax.Matches(subscription.Filter, value.Topic))
            {
                isScheduled &= !Enqueue(value, isRetained: true, identifiers);
            }
        }

        if (!isScheduled)
        {
            connection.Output.Schedule();
        }
    }

    private static void AddIdentifier(ref List<int>? identifiers, Subscription subscription)
    {
        if (subscription.Identifier != 0)
        {
            (identifiers ??= []).Add(subscription.Identifier);
        }
    }

    /// <summary>Returns whether the connection has to be scheduled. QoS 0: no session keeps anything of it.</summary>
    private bool Enqueue(MqttMessage value, bool isRetained, List<int>? identifiers)
    {
        Delivery delivery = new(connection.Id, 0, packetId: 0, qos: 0, isDuplicate: false, isRetained: isRetained);
        return connection.Output.TryEnqueue(value, delivery, identifiers?.ToArray(), out var wasEmpty) && wasEmpty;
    }
}
