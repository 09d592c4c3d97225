namespace OrleansMqtt.TestKit;

/// <summary>Ends the broker that <see cref="KafkaBroker.SharedAsync"/> started with the tests of an assembly, of which it is a fixture; the end of the program would wait for that.</summary>
public sealed class SharedKafka : IAsyncDisposable
{
    public ValueTask DisposeAsync() => KafkaBroker.DisposeSharedAsync();
}
