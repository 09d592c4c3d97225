using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OrleansMqtt.Streams.Kafka;

namespace OrleansMqtt.Grains;

/// <summary>
/// Opens the session partitions that this silo owns, at the start and whenever the owners change, without waiting for a call about one of their sessions: wills are due, and
/// a dead owner's transaction has to end.
/// </summary>
internal sealed partial class SessionPartitionStarter(
    IGrainFactory grains, IPartitionMapSource map, SessionPartitions partitions, ILocalSiloDetails silo, ILogger<SessionPartitionStarter> logger) : BackgroundService
{
    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(500);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using SemaphoreSlim changed = new(1);
        void OnChanged() => changed.Release();
        map.Changed += OnChanged;
        try
        {
            while (true)
            {
                await changed.WaitAsync(stoppingToken);
                var owned = Enumerable.Range(0, partitions.Count).Where(partition => silo.SiloAddress.Equals(map.Current.GetOwner(partitions.Of(partition))));
                await Task.WhenAll(owned.Select(partition => WakeAsync(partition, stoppingToken)));
            }
        }
        catch (Exception) when (stoppingToken.IsCancellationRequested)
        {
            // The silo stops, and answers no call any more.
        }
        finally
        {
            map.Changed -= OnChanged;
        }
    }

    private async Task WakeAsync(int partition, CancellationToken cancellationToken)
    {
        while (silo.SiloAddress.Equals(map.Current.GetOwner(partitions.Of(partition))))
        {
            try
            {
                await grains.GetGrain<ISessionOwnerGrain>(partition).Serve();
                return;
            }
            catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
            {
                LogNotOpened(exception, partition);
            }

            await Task.Delay(RetryPause, cancellationToken);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Session partition {SessionPartition} could not be opened; it is tried again")]
    private partial void LogNotOpened(Exception exception, int sessionPartition);
}
