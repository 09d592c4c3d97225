namespace OrleansMqtt.Streams.Kafka.Tests;

public interface IOwnerGrain : IGrainWithStringKey, IPartitionOwnerGrain
{
    /// <summary>Does nothing: the call reaches the grain.</summary>
    ValueTask Touch();
}
