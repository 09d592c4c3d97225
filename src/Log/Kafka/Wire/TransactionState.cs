namespace OrleansMqtt.Log.Kafka.Wire;

/// <summary>What a coordinator knows of a transactional id (KIP-664).</summary>
/// <param name="Name">As Kafka names it: <c>Ongoing</c>, <c>CompleteCommit</c> and so on.</param>
/// <param name="ProducerId">The producer that the name stands for.</param>
internal sealed record TransactionState(string Name, long ProducerId)
{
    /// <summary>Whether the coordinator has nothing more to do for the last transaction.</summary>
    public bool IsComplete => Name is "CompleteCommit" or "CompleteAbort" or "Empty";

    public bool IsCommit => Name is "PrepareCommit" or "CompleteCommit";

    public bool IsAbort => Name is "PrepareAbort" or "CompleteAbort" or "PrepareEpochFence";
}
