namespace OrleansMqtt.Log.Kafka.Wire;

/// <summary>What a coordinator knows of a transactional id (KIP-664).</summary>
/// <param name="Name">As Kafka names it: <c>Ongoing</c>, <c>CompleteCommit</c> and so on.</param>
/// <param name="ProducerId">The producer that the name stands for.</param>
internal sealed record TransactionState(string Name, long ProducerId)
{
    /// <summary>Whether the coordinator has nothing more to do for the last transaction.</summary>
    public bool IsComplete => Name is "CompleteCommit" or "CompleteAbort" or "Empty" or "Dead";

    /// <summary>Whether the last transaction was committed, or was when it was last heard of: an id that was initialized since is empty.</summary>
    public bool IsCommit => Name is "PrepareCommit" or "CompleteCommit" or "Empty";
}
