namespace OrleansMqtt.Log.Kafka;

/// <summary>The way of records to Kafka, by one client or the other; the contract is that of <see cref="IMessageLog.Append"/>.</summary>
internal interface IKafkaAppender : IDisposable
{
    /// <summary>Tells of a topic that records may go to from now on.</summary>
    void AddTopic(string topic, int partitions);

    void Append(string topic, int partition, in LogRecord record, IAppendCompletion completion, long state);
}
