namespace OrleansMqtt.TestKit;

/// <summary>The page <c>/cluster</c> of a process.</summary>
/// <param name="Silo">The process.</param>
/// <param name="Owners">The silos that own partitions.</param>
/// <param name="PartitionGrains">The grains of partitions that live in the process.</param>
/// <param name="OtherGrains">How many grains live beside them.</param>
/// <param name="Misplaced">How many of all these belong to another silo.</param>
public sealed record ClusterView(string Silo, IReadOnlyList<string> Owners, IReadOnlyList<string> PartitionGrains, int OtherGrains, int Misplaced)
{
    public override string ToString() =>
        $"{Silo} sees the owners {string.Join(", ", Owners)}, serves {string.Join(", ", PartitionGrains)} beside {OtherGrains} others, and has {Misplaced} that belong elsewhere";
}
