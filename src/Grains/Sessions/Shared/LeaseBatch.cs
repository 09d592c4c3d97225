using OrleansMqtt.Log;

namespace OrleansMqtt.Grains;

/// <summary>Leases for members of one sessions partition. The sender uses the list again once the call has returned.</summary>
[GenerateSerializer, Immutable, Alias("lease-batch")]
internal sealed class LeaseBatch
{
    /// <summary>The partition of the groups.</summary>
    [Id(0)] public required int GroupPartition { get; init; }

    /// <summary>The generation of its owner.</summary>
    [Id(1)] public required long Generation { get; init; }

    /// <summary>Counts the batches of this generation to this partition: one that comes again is answered as before.</summary>
    [Id(2)] public required long Sequence { get; init; }

    /// <summary>The messages partitions.</summary>
    [Id(3)] public required TopicPartitionId[] Sources { get; init; }

    [Id(4)] public required List<LeaseOffer> Offers { get; init; }

    /// <summary>The generation of the members' owner that has reported: another one does not take the batch.</summary>
    [Id(5)] public required long MemberGeneration { get; init; }

    /// <summary>The last report that was known when the batch was made, see <see cref="GroupReport.Sequence"/>.</summary>
    [Id(6)] public required long LastReport { get; init; }
}
