namespace OrleansMqtt.Log.Kafka;

/// <summary>What has become of the end of a transaction.</summary>
internal enum TransactionEnd
{
    /// <summary>It has ended on all its partitions.</summary>
    Complete,

    /// <summary>It is open on a partition, and Kafka has nothing more to do for it.</summary>
    Lost,

    /// <summary>Somebody else has taken the id over, and sees to it.</summary>
    Fenced,
}
