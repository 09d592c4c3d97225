namespace OrleansMqtt.Grains;

/// <summary>What a partition of members tells a partition of groups. The sender uses the lists again once the call has returned.</summary>
[GenerateSerializer, Immutable, Alias("group-report")]
internal sealed class GroupReport
{
    [Id(0)] public required int MemberPartition { get; init; }

    /// <summary>The generation of the members' partition.</summary>
    [Id(1)] public required long Generation { get; init; }

    /// <summary>The generation of the groups' owner that the report is for; another one wants to hear of all members first.</summary>
    [Id(2)] public required long OwnerGeneration { get; init; }

    /// <summary>Counts the reports of this generation to this partition: one that comes again changes nothing.</summary>
    [Id(3)] public required long Sequence { get; init; }

    /// <summary>Whether <see cref="Changes"/> names all members of the partition, and no lease is known to it.</summary>
    [Id(4)] public required bool IsComplete { get; init; }

    /// <summary>Ends of leases; they count before the changes.</summary>
    [Id(5)] public required List<LeaseEnd> Ends { get; init; }

    /// <summary>Changed members, in order.</summary>
    [Id(6)] public required List<MemberChange> Changes { get; init; }
}
