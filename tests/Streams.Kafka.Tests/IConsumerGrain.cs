namespace OrleansMqtt.Streams.Kafka.Tests;

/// <summary>Consumes the stream of one partition.</summary>
public interface IConsumerGrain : IGrainWithStringKey
{
    /// <summary>Deactivates, so that it starts again.</summary>
    Task Leave();
}
