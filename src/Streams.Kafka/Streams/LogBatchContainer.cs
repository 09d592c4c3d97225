using OrleansMqtt.Log;

namespace OrleansMqtt.Streams.Kafka;

/// <summary>
/// One event: a stretch of a partition. A stretch without any offset is a greeting: it reaches the consumer's activation, which says where it wants to go on, but not its code.
/// </summary>
[GenerateSerializer, Immutable, Alias("log-batch-container")]
internal sealed class LogBatchContainer(StreamId streamId, LogBatch batch) : IBatchContainer
{
    [NonSerialized]
    private StreamSequenceToken? _token;

    [Id(0)]
    public StreamId StreamId { get; } = streamId;

    [Id(1)]
    public LogBatch Batch { get; } = batch;

    public StreamSequenceToken SequenceToken => _token ??= IsGreeting ? LogOffsetToken.CreateGreeting(Batch.To) : new LogOffsetToken(Batch.To);

    public bool IsGreeting => Batch.From == Batch.To;

    public IEnumerable<Tuple<T, StreamSequenceToken>> GetEvents<T>() => !IsGreeting && Batch is T item ? [Tuple.Create(item, SequenceToken)] : [];

    public bool ImportRequestContext() => false;
}
