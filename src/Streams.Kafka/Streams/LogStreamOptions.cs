namespace OrleansMqtt.Streams.Kafka;

/// <summary>Options of a log stream provider; bounds are per partition.</summary>
public sealed class LogStreamOptions
{
    /// <summary>The namespace of the streams; consumers subscribe to it with <c>[ImplicitStreamSubscription]</c>.</summary>
    public string Namespace { get; set; } = "messages";

    /// <summary>The topics whose partitions are streams. The log has to know them when the provider starts.</summary>
    public IList<string> Topics { get; set; } = [];

    /// <summary>Where a consumer that names no token starts.</summary>
    public LogStreamStart StartAt { get; set; } = LogStreamStart.End;

    /// <summary>
    /// How long a read waits for records. Then an idle stream greets its consumer, which activates one that went away, so that it says where it wants to go on.
    /// </summary>
    public TimeSpan MaximumWait { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>The most records of one event.</summary>
    public int MaxBatchRecords { get; set; } = 2_000;

    /// <summary>The most records that are read ahead of the slowest consumer.</summary>
    public int CacheRecords { get; set; } = 16_384;

    /// <summary>The most batches that are read ahead of the slowest consumer.</summary>
    public int CacheBatches { get; set; } = 1_024;

    /// <summary>The bytes of keys, values and headers that may be read ahead of the slowest consumer; one batch more can be on its way.</summary>
    public long CacheBytes { get; set; } = 32 * 1024 * 1024;
}
