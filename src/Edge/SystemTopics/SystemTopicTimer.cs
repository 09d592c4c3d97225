using Microsoft.Extensions.Hosting;
using OrleansMqtt.Edge.Diagnostics;

namespace OrleansMqtt.Edge.SystemTopics;

/// <summary>Gathers the numbers of the cluster each interval (<see cref="Configuration.EdgeOptions.SysInterval"/>).</summary>
internal sealed class SystemTopicTimer(EdgeContext context, IHostApplicationLifetime lifetime, IGrainStatistics? grains = null) : BackgroundService
{
    private readonly long _startedAt = context.Time.GetUtcNow().ToUnixTimeMilliseconds();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (context.Options.SysInterval == 0)
        {
            return;
        }

        // Before that the silo does not take calls.
        TaskCompletionSource started = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = lifetime.ApplicationStarted.UnsafeRegister(static started => ((TaskCompletionSource)started!).TrySetResult(), started).ConfigureAwait(false);
        await started.Task.WaitAsync(stoppingToken);
        var interval = TimeSpan.FromSeconds(context.Options.SysInterval);
        using PeriodicTimer timer = new(interval, context.Time);
        do
        {
            var own = context.Metrics.AddTo(new ServerStatistics { StartedAt = _startedAt });
            own = grains?.AddTo(own) ?? own;
            try
            {
                own = await context.Grains.GetClusterStatistics().Report(context.Grains.Edge, own, interval);
            }
            catch (Exception exception)
            {
                // As while a silo stops: the numbers of this process are better than none.
                context.Logger.StatisticsIncomplete(exception.Message);
            }

            context.SystemTopics.Publish(SystemTopicTree.MakeMessages(own, context.Time.GetUtcNow()));
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }
}
