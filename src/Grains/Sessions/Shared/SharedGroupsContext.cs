using OrleansMqtt.Log;

namespace OrleansMqtt.Grains;

/// <summary>Where the groups of a sessions partition live, and where their members may.</summary>
/// <param name="Partition">The partition.</param>
/// <param name="Generation">The generation of its owner.</param>
/// <param name="Partitions">How many sessions partitions there are.</param>
/// <param name="Sources">The messages partitions by link.</param>
/// <param name="PartitionOf">The sessions partition of a client.</param>
/// <param name="Members">The grain of a sessions partition.</param>
/// <param name="MaximumQueued">How many messages may wait for a group.</param>
internal sealed record SharedGroupsContext(
    int Partition, long Generation, int Partitions, TopicPartitionId[] Sources, Func<string, int> PartitionOf, Func<int, ISharedMembersGrain> Members, int MaximumQueued);
