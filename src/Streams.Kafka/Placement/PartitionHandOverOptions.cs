namespace OrleansMqtt.Streams.Kafka;

/// <summary>How a silo that ends gives its partitions to the others.</summary>
public sealed class PartitionHandOverOptions
{
    /// <summary>How long its end waits for that at most.</summary>
    public TimeSpan Limit { get; set; } = TimeSpan.FromSeconds(30);
}
