namespace OrleansMqtt.Streams.Kafka;

/// <summary>What this silo does; see <see cref="MemberState"/>.</summary>
public sealed class MemberOptions
{
    /// <summary>Whether it owns partitions.</summary>
    public bool OwnsPartitions { get; set; } = true;

    /// <summary>Whether it ends client connections.</summary>
    public bool HasEdge { get; set; } = true;
}
