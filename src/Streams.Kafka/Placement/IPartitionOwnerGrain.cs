using Orleans.Concurrency;

namespace OrleansMqtt.Streams.Kafka;

/// <summary>
/// A grain that serves a partition (<see cref="PartitionGrainKind.Owner"/>), and tells when it does. When partitions move, those of such grains move a few at a time: the next when
/// the ones before are served at their new silo, so that each is without service as briefly as one alone.
/// </summary>
public interface IPartitionOwnerGrain : IGrain
{
    /// <summary>Returns when the partition is served. The call reaches the activation, or makes it.</summary>
    [AlwaysInterleave]
    ValueTask Serve();
}
