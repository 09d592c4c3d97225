namespace OrleansMqtt.Streams.Kafka;

/// <summary>The grains with <see cref="PartitionPlacementAttribute"/> that are active in this process.</summary>
public interface IPartitionGrains
{
    /// <summary>Those that serve partitions.</summary>
    IEnumerable<GrainId> Owners { get; }

    /// <summary>How many others there are.</summary>
    int FollowerCount { get; }

    /// <summary>How many of all of them belong to another silo by now.</summary>
    int MisplacedCount { get; }
}
