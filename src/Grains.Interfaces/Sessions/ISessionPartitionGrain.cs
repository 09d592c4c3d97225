using OrleansMqtt.Log;

namespace OrleansMqtt;

/// <summary>
/// Stores and delivers for the sessions of one partition of the sessions topic (the key): session table, subscriptions, mailboxes, receive windows, packet identifiers and
/// positions. Reentrant; on the silo that owns the partition.
/// </summary>
public interface ISessionPartitionGrain : IGrainWithIntegerKey
{
    /// <summary>Takes acknowledgements from an edge.</summary>
    ValueTask Acknowledge([Immutable] AcknowledgementBatch batch);

    /// <summary>
    /// Stores QoS 2 messages together with their packet identifiers, in one transaction with what else comes at the time, and returns the outcome of each item when it is
    /// durable. A message whose identifier is known already is not stored again. One call at a time from each edge, so that order is kept.
    /// </summary>
    ValueTask<InboundQoS2Outcome[]> PublishQoS2([Immutable] InboundQoS2Batch batch);

    /// <summary>Takes matched messages from a router; drops those for another generation of the partition, whose filters follow. Only enqueues.</summary>
    ValueTask Route([Immutable] RoutedBatch batch);

    /// <summary>A router has started without an index, and asks for the filters of this partition. Only enqueues; the filters follow by <see cref="IRouterGrain.UpdateIndex"/>.</summary>
    ValueTask RequestFilters(TopicPartitionId router, long routerGeneration);
}
