using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orleans.Serialization;
using Orleans.Serialization.Serializers;
using Orleans.Storage;
using OrleansMqtt.Log;
using OrleansMqtt.Log.Kafka;

namespace OrleansMqtt.Storage.Kafka;

/// <summary>Grain storage on a compacted topic: a record is a state, and the grain that owns its partition reads and writes it.</summary>
internal sealed class LogGrainStorage(
    string name, LogGrainStorageOptions options, IMessageLog log, IGrainFactory grains, IActivatorProvider activators, Serializer serializer)
    : IGrainStorage, ILifecycleParticipant<ISiloLifecycle>
{
    private readonly IGrainStorageSerializer _serializer = options.GrainStorageSerializer ?? new OrleansGrainStorageSerializer(serializer);
    private IStoragePartition[] _partitions = [];

    public static LogGrainStorage Create(IServiceProvider services, string name) => ActivatorUtilities.CreateInstance<LogGrainStorage>(
        services, name, services.GetRequiredService<IOptionsMonitor<LogGrainStorageOptions>>().Get(name));

    public void Participate(ISiloLifecycle observer) => observer.Subscribe(
        $"{nameof(LogGrainStorage)}-{name}",
        options.InitStage,
        _ =>
        {
            var partition = options.Partition ?? ((factory, number) => factory.GetGrain<IStoragePartitionGrain>(new TopicPartitionId(options.Topic, number).ToString()));
            _partitions = [.. Enumerable.Range(0, log.GetPartitionCount(options.Topic)).Select(number => partition(grains, number))];
            return Task.CompletedTask;
        });

    public async Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var (key, partition) = Find(stateName, grainId);
        var stored = await partition.ReadState(key);
        grainState.ETag = stored.ETag;
        grainState.RecordExists = stored.ETag is not null;
        grainState.State = stored.ETag is null ? Empty<T>() : _serializer.Deserialize<T>(new(stored.Value)) ?? Empty<T>();
    }

    public async Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var (key, partition) = Find(stateName, grainId);
        var change = await partition.WriteState(key, _serializer.Serialize(grainState.State).ToMemory(), grainState.ETag);
        ThrowIfConflict(change, "Write", key, grainState.ETag);
        grainState.ETag = change.ETag;
        grainState.RecordExists = true;
    }

    public async Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var (key, partition) = Find(stateName, grainId);
        ThrowIfConflict(await partition.ClearState(key, grainState.ETag), "Clear", key, grainState.ETag);
        grainState.ETag = null;
        grainState.RecordExists = false;
        grainState.State = Empty<T>();
    }

    private static void ThrowIfConflict(StateChange change, string operation, string key, string? etag)
    {
        if (change.IsConflict)
        {
            throw new InconsistentStateException($"{operation} of state '{key}' is refused: it was changed by somebody else.", change.ETag ?? "none", etag ?? "none");
        }
    }

    private (string Key, IStoragePartition Partition) Find(string stateName, GrainId grainId)
    {
        var key = options.Key(stateName, grainId);
        var partitionKey = options.PartitionKey?.Invoke(grainId) ?? key;
        return (key, _partitions[KafkaPartitioner.PartitionOf(Encoding.UTF8.GetBytes(partitionKey), _partitions.Length)]);
    }

    private T Empty<T>() => activators.GetActivator<T>().Create();
}
