namespace OrleansMqtt.Log.Embedded;

/// <summary>An entry of the writer's queue: a record, or a request when <see cref="Request"/> is set.</summary>
internal struct PendingAppend
{
    public EmbeddedPartition Partition;
    public LogRecord Record;
    public IAppendCompletion? Completion;
    public long State;
    public long Offset;
    public long StartedAt;
    public int Size;
    public WriteRequest? Request;
}
