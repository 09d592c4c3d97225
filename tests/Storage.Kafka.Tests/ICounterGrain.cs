namespace OrleansMqtt.Storage.Kafka.Tests;

public interface ICounterGrain : IGrainWithStringKey
{
    /// <returns>Value, whether a record exists, and which activation says so.</returns>
    Task<(int Value, bool RecordExists, Guid Activation)> Get();

    /// <summary>Adds, and stores it.</summary>
    Task<int> Add(int value);

    Task Clear();

    Task Leave();
}
