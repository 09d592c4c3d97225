namespace OrleansMqtt;

/// <summary>
/// The writer of the retained messages of one partition of the retained topic (the key): those whose MQTT topic belongs to it (<see cref="IRetainedTopic"/>). Reentrant; on the
/// silo that owns the partition.
/// </summary>
public interface IRetainedPartitionGrain : IGrainWithIntegerKey
{
    /// <summary>
    /// Stores messages and their retained copies, each message and its copy in one transaction, and returns when they are durable. One call at a time from each edge, so that
    /// order is kept. A batch that was taken already, by its sequence, is not stored again: its outcomes are returned.
    /// </summary>
    ValueTask<RetainedPublishResult> Publish([Immutable] RetainedPublishBatch batch);
}
