namespace OrleansMqtt;

/// <summary>What an edge did with a <see cref="DeliveryBatch"/>.</summary>
public enum DeliveryResult
{
    /// <summary>All is enqueued, or was dropped with its connection.</summary>
    Accepted,

    /// <summary>A later owner of the partition has sent: nothing was taken.</summary>
    StaleGeneration,

    /// <summary>Not the next batch: nothing was taken.</summary>
    OutOfSequence,
}
