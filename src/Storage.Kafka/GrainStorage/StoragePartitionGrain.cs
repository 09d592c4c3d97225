using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using OrleansMqtt.Log;
using OrleansMqtt.Streams.Kafka;

namespace OrleansMqtt.Storage.Kafka;

[PartitionPlacement, Reentrant, KeepAlive]
internal sealed class StoragePartitionGrain(IMessageLog log, ILogger<PartitionStore> logger) : Grain, IStoragePartitionGrain
{
    private readonly StoredStates _states = new();
    private PartitionStore _store = null!;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        var partition = TopicPartitionId.Parse(this.GetPrimaryKeyString());
        _store = await PartitionStore.OpenAsync(log, partition, $"storage-{partition.Topic}-{partition.Partition}", _states.Load, logger, cancellationToken);
        _ = DeactivateWhenFencedAsync();
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        if (_store is not null)
        {
            await _store.DisposeAsync();
        }
    }

    public ValueTask<StoredState> ReadState(string key) => _states.ReadAsync(key);

    public ValueTask<StateChange> WriteState(string key, ReadOnlyMemory<byte> value, string? etag) => _states.WriteAsync(_store, key, value, etag);

    public ValueTask<StateChange> ClearState(string key, string? etag) => _states.ClearAsync(_store, key, etag);

    /// <summary>The next call finds an activation that knows what the later owner wrote.</summary>
    private async Task DeactivateWhenFencedAsync()
    {
        await _store.Fenced;
        DeactivateOnIdle();
    }
}
