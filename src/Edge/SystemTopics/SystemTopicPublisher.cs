using System.Collections.Concurrent;
using OrleansMqtt.Edge.Connections;
using OrleansMqtt.Edge.Protocol;

namespace OrleansMqtt.Edge.SystemTopics;

/// <summary>
/// Answers subscriptions below <c>$SYS</c> for the connections of this edge. The subscriptions live in the sessions as any others do, but their messages are on no log: each
/// edge makes them, of numbers that are those of the whole cluster.
/// </summary>
internal sealed class SystemTopicPublisher
{
    private readonly ConcurrentDictionary<long, SystemSubscriber> _subscribers = new();
    private MqttMessage[] _values = [];

    /// <summary>Sends new values to all that subscribe.</summary>
    public void Publish(MqttMessage[] values)
    {
        Volatile.Write(ref _values, values);
        foreach (var subscriber in _subscribers.Values)
        {
            subscriber.Send(values);
        }
    }

    /// <summary>The subscriptions of a session that goes on.</summary>
    public void Resume(MqttConnection connection, Subscription[] subscriptions)
    {
        var subscriber = Get(connection);
        foreach (var subscription in subscriptions)
        {
            subscriber.Set(subscription);
        }

        RemoveIfClosing(connection);
    }

    /// <summary>A subscription was granted, and the client told: the current values follow, if it wants them.</summary>
    public void Subscribe(MqttConnection connection, Subscription subscription)
    {
        if (!TopicSyntax.IsSystem(subscription.Filter))
        {
            return;
        }

        var subscriber = Get(connection);
        var isNew = subscriber.Set(subscription);
        if (subscription.RetainHandling == 0 || (subscription.RetainHandling == 1 && isNew))
        {
            subscriber.SendRetained(subscription, Volatile.Read(ref _values));
        }

        RemoveIfClosing(connection);
    }

    public void Unsubscribe(MqttConnection connection, string[] filters)
    {
        if (_subscribers.TryGetValue(connection.Id, out var subscriber) && subscriber.Remove(filters))
        {
            Remove(connection);
        }
    }

    /// <summary>The connection has ended.</summary>
    public void Remove(MqttConnection connection) => _subscribers.TryRemove(connection.Id, out _);

    private SystemSubscriber Get(MqttConnection connection) => _subscribers.GetOrAdd(connection.Id, static (_, connection) => new SystemSubscriber(connection), connection);

    /// <summary>Its end may have come first, and does not come again.</summary>
    private void RemoveIfClosing(MqttConnection connection)
    {
        if (connection.IsClosing)
        {
            Remove(connection);
        }
    }
}
