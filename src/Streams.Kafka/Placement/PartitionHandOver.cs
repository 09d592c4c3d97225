using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace OrleansMqtt.Streams.Kafka;

/// <summary>
/// When the process is told to end: the silo leaves the <see cref="PartitionMap"/>, and <see cref="PartitionMover"/> hands its partitions over while it still serves them; what else stops follows
/// when there are none left, or <see cref="PartitionHandOverOptions.Limit"/> is over. Where no other silo takes them they stay to the end.
/// </summary>
internal sealed partial class PartitionHandOver(
    IMembers members, IPartitionMapSource map, PartitionGrains grains, ILocalSiloDetails silo, IOptions<PartitionHandOverOptions> options, TimeProvider time, ILogger<PartitionHandOver> logger)
    : IHostedLifecycleService
{
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        await members.LeaveAsync();
        TaskCompletionSource changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var limit = Task.Delay(options.Value.Limit, time, cancellationToken);
        map.Changed += OnMapChanged;
        grains.Left += OnLeft;
        try
        {
            while (!limit.IsCompleted)
            {
                // Before the look, so that no change after it is missed.
                changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
                if (map.Current.Silos.Count == 0 || map.Current.Silos.Contains(silo.SiloAddress) || grains.ServedPartitions().Count == 0)
                {
                    return;
                }

                await Task.WhenAny(changed.Task, limit);
            }

            if (grains.ServedPartitions().Count is > 0 and var left)
            {
                LogNotHandedOver(left, options.Value.Limit);
            }
        }
        finally
        {
            map.Changed -= OnMapChanged;
            grains.Left -= OnLeft;
        }

        void OnMapChanged() => Volatile.Read(ref changed).TrySetResult();
        void OnLeft(Log.TopicPartitionId partition) => Volatile.Read(ref changed).TrySetResult();
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Count} partitions were not handed over within {Limit}; other silos open them from the log.")]
    private partial void LogNotHandedOver(int count, TimeSpan limit);
}
