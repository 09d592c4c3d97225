using System.Collections.Concurrent;
using Orleans.Runtime;
using OrleansMqtt.Log;

namespace OrleansMqtt.Streams.Kafka.Tests;

/// <summary>A grain that serves a partition when its test says so.</summary>
[PartitionPlacement]
internal sealed class OwnerGrain(ILocalSiloDetails silo) : Grain, IOwnerGrain
{
    private static readonly ConcurrentDictionary<(string Topic, SiloAddress Silo), ConcurrentQueue<TaskCompletionSource>> Begun = new();

    private readonly TaskCompletionSource _serving = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What completes the beginning of each grain of a topic on a silo, in the order in which they came there.</summary>
    public static ConcurrentQueue<TaskCompletionSource> BegunOn(string topic, SiloAddress silo) => Begun.GetOrAdd((topic, silo), static _ => new());

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        BegunOn(TopicPartitionId.Parse(this.GetPrimaryKeyString()).Topic, silo.SiloAddress).Enqueue(_serving);
        return Task.CompletedTask;
    }

    public ValueTask Touch() => ValueTask.CompletedTask;

    public async ValueTask Serve() => await _serving.Task;
}
