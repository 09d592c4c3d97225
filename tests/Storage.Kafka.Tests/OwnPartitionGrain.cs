using Microsoft.Extensions.Logging.Abstractions;
using Orleans.Concurrency;
using OrleansMqtt.Log;

namespace OrleansMqtt.Storage.Kafka.Tests;

/// <summary>An owner of a partition that the provider does not bring; writes a message with each state.</summary>
[Reentrant]
internal sealed class OwnPartitionGrain(IMessageLog log) : Grain, IOwnPartitionGrain
{
    private readonly StoredStates _states = new();
    private PartitionStore _store = null!;

    public static string Topic { get; set; } = "";

    public override async Task OnActivateAsync(CancellationToken cancellationToken) => _store = await PartitionStore.OpenAsync(
        log, new(Topic, (int)this.GetPrimaryKeyLong()), $"{Topic}-{this.GetPrimaryKeyLong()}", _states.Load, NullLogger.Instance, cancellationToken);

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) => await _store.DisposeAsync();

    public ValueTask<StoredState> ReadState(string key) => _states.ReadAsync(key);

    public ValueTask<StateChange> WriteState(string key, ReadOnlyMemory<byte> value, string? etag) => _states.WriteAsync(_store, key, value, etag);

    public ValueTask<StateChange> ClearState(string key, string? etag) => _states.ClearAsync(_store, key, etag);
}
