using System.Text;

namespace OrleansMqtt.Log.Kafka.Wire;

/// <summary>A partition that is followed for a feed. What changes is guarded by the follower's lock, except what the fetcher that took it moves on.</summary>
internal sealed class FollowedPartition(PartitionFeed feed, long offset)
{
    public PartitionFeed Feed { get; } = feed;

    public TopicPartitionId Id => Feed.Partition;

    public byte[] TopicBytes { get; } = Encoding.UTF8.GetBytes(feed.Partition.Topic);

    /// <summary>The offset that is fetched next.</summary>
    public long Position { get; set; } = offset;

    /// <summary>The broker that leads it; -1 when it is not known.</summary>
    public int Leader { get; set; } = -1;

    /// <summary>Whether a fetcher has it in a request: no other may.</summary>
    public bool IsTaken { get; set; }

    /// <summary>Whether it waits until the leaders are known anew.</summary>
    public bool IsParked { get; set; }

    /// <summary>Whether its offset is not stored: it waits for another one.</summary>
    public bool IsOutOfRange { get; set; }
}
