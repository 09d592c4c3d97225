namespace OrleansMqtt.Log;

/// <summary>
/// The only door to storage: partitioned, append-only topics of records. Kafka and the embedded log implement it with the same guarantees;
/// one contract test suite runs against both.
/// </summary>
public interface IMessageLog : IAsyncDisposable
{
    /// <summary>What the log is and where, for the start-up line and health, such as <c>Kafka at 127.0.0.1:9092</c>.</summary>
    string Description { get; }

    /// <summary>
    /// Creates the topics that are missing and checks those that exist. Waits while the log is out of reach.
    /// </summary>
    /// <exception cref="LogConfigurationException">A topic exists with other partitions, another cleanup policy or too little replication.</exception>
    Task EnsureTopicsAsync(IReadOnlyCollection<TopicSpecification> topics, CancellationToken cancellationToken);

    /// <summary>The number of partitions of a topic that <see cref="EnsureTopicsAsync"/> has seen.</summary>
    int GetPartitionCount(string topic);

    /// <summary>
    /// The identities of topics as they are now: a topic that was deleted and made anew has another one (KIP-516). Empty where there is no such topic at the moment, or where the log
    /// cannot tell; the embedded log makes no topic anew. Waits while the log is out of reach.
    /// </summary>
    Task<Guid[]> GetTopicIdsAsync(IReadOnlyList<string> topics, CancellationToken cancellationToken);

    /// <summary>
    /// Hands a record to the log. Returns at once, never waits and never refuses for lack of space: the caller bounds what is outstanding.
    /// Records handed over one after the other to the same partition are stored in that order. A record that fails for good is reported
    /// with an error, and no later record of that partition that was handed over before the report is reported as stored out of order.
    /// </summary>
    /// <param name="topic">A topic that <see cref="EnsureTopicsAsync"/> has seen.</param>
    /// <param name="record">The record; its memory may not change until the completion is called.</param>
    /// <param name="completion">Called exactly once, on a thread of the log: it may not block.</param>
    /// <param name="state">Passed back to <paramref name="completion"/>.</param>
    void Append(string topic, in LogRecord record, IAppendCompletion completion, long state);

    /// <summary>
    /// Becomes the owner of <paramref name="ownerName"/>: fences every earlier owner of that name, ends the transaction it may have open (Kafka: <c>InitTransactions</c>), and sees to it that its
    /// last one has ended everywhere.
    /// </summary>
    Task<ILogOwner> OpenOwnerAsync(string ownerName, CancellationToken cancellationToken);

    /// <summary>Opens a reader of one partition that starts at <paramref name="offset"/> and follows the end. Only committed records are read.</summary>
    ILogReader OpenReader(string topic, int partition, long offset);

    /// <summary>
    /// Reads what is stored at or after <paramref name="from"/>, for catching up and for single stretches of the past; does not wait for records that are not there yet:
    /// at the end of the partition it returns an empty batch.
    /// </summary>
    /// <exception cref="OffsetOutOfRangeException">The stretch was removed by retention, or lies beyond the end.</exception>
    Task<LogBatch> ReadRangeAsync(string topic, int partition, long from, int maxRecords, CancellationToken cancellationToken);

    /// <summary>
    /// The first stored offset and the end (the next offset to be read; with transactions the last stable offset) of partitions. Waits while the log is out of reach.
    /// Asked of the log itself: a record that was acknowledged before the call lies below the end.
    /// </summary>
    Task<OffsetRange[]> GetOffsetsAsync(IReadOnlyList<TopicPartitionId> partitions, CancellationToken cancellationToken);

    /// <summary>Whether the log answers now.</summary>
    LogHealth Health { get; }
}
