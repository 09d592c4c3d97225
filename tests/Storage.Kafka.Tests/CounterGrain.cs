using Orleans.Runtime;

namespace OrleansMqtt.Storage.Kafka.Tests;

internal sealed class CounterGrain([PersistentState("counter", TestSilo.Provider)] IPersistentState<CounterState> state) : Grain, ICounterGrain
{
    private readonly Guid _activation = Guid.NewGuid();

    public Task<(int Value, bool RecordExists, Guid Activation)> Get() => Task.FromResult((state.State.Value, state.RecordExists, _activation));

    public async Task<int> Add(int value)
    {
        state.State.Value += value;
        await state.WriteStateAsync();
        return state.State.Value;
    }

    public Task Clear() => state.ClearStateAsync();

    public Task Leave()
    {
        DeactivateOnIdle();
        return Task.CompletedTask;
    }
}
