namespace OrleansMqtt.Streams.Kafka;

/// <summary>The <see cref="PartitionMap"/> of now, and its changes. One instance a process; placement, stream queues and redirect all ask it.</summary>
public interface IPartitionMapSource
{
    /// <summary>The map of the live silos with the role that owns partitions.</summary>
    PartitionMap Current { get; }

    /// <summary>Raised after <see cref="Current"/> has changed, or a silo is gone that may have served partitions still; handlers return at once.</summary>
    event Action? Changed;
}
