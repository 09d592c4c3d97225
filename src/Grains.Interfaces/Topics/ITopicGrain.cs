namespace OrleansMqtt;

/// <summary>The way of an MQTT topic into the log; key: the topic name. Always in the calling process, one activation a process.</summary>
public interface ITopicGrain : IGrainWithStringKey
{
    /// <summary>
    /// Hands the messages of a batch to the log, in order, and returns when all are handed over; <see cref="PublishBatch.Completion"/> hears of each when the log has stored
    /// it, or never will. A caller that awaits one call before it makes the next keeps its order without waiting for the log.
    /// </summary>
    ValueTask Publish(PublishBatch batch);
}
