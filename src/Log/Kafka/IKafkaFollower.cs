namespace OrleansMqtt.Log.Kafka;

/// <summary>Follows partitions for their feeds, by one client or the other.</summary>
internal interface IKafkaFollower : IDisposable
{
    /// <summary>Follows a partition for a feed; false when another feed has it.</summary>
    bool TryFollow(PartitionFeed feed, long offset);

    /// <summary>Goes on with another feed of the same partition, at another offset.</summary>
    void Replace(PartitionFeed feed, long offset);

    void Unfollow(PartitionFeed feed);
}
