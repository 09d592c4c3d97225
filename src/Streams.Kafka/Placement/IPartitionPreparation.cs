namespace OrleansMqtt.Streams.Kafka;

/// <summary>
/// Prepares a silo for partitions that move to it, while their owner so far still serves them. Register one or more: each is called, on a silo that gives partitions away, for
/// every silo that gets some, each time before some move. Partitions do not wait for it longer than 15 seconds.
/// </summary>
public interface IPartitionPreparation
{
    /// <summary>Returns when the silo is prepared; may be called any number of times, by several silos at once.</summary>
    /// <param name="newOwner">The silo that gets partitions.</param>
    /// <param name="cancellationToken">The patience is at an end.</param>
    Task PrepareAsync(SiloAddress newOwner, CancellationToken cancellationToken);
}
