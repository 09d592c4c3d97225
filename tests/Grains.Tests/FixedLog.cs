using OrleansMqtt.Log;

namespace OrleansMqtt.Grains.Tests;

/// <summary>A log of which only the number of partitions is asked.</summary>
internal sealed class FixedLog(int partitions) : IMessageLog
{
    public string Description => "";

    public LogHealth Health => throw new NotSupportedException();

    public int GetPartitionCount(string topic) => partitions;

    public Task<Guid[]> GetTopicIdsAsync(IReadOnlyList<string> topics, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task EnsureTopicsAsync(IReadOnlyCollection<TopicSpecification> topics, CancellationToken cancellationToken) => throw new NotSupportedException();

    public void Append(string topic, in LogRecord record, IAppendCompletion completion, long state) => throw new NotSupportedException();

    public Task<ILogOwner> OpenOwnerAsync(string ownerName, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ILogReader OpenReader(string topic, int partition, long offset) => throw new NotSupportedException();

    public Task<LogBatch> ReadRangeAsync(string topic, int partition, long from, int maxRecords, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<OffsetRange[]> GetOffsetsAsync(IReadOnlyList<TopicPartitionId> partitions, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
