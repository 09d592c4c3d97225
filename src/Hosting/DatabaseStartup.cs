using System.Data.Common;
using OrleansMqtt.Log;

namespace OrleansMqtt.Hosting;

/// <summary>Waits for the database of the cluster, so that the silo can join: the first of the hosted services. Not needed again while the process lives.</summary>
internal sealed class DatabaseStartup(ClusterDatabase database, StartupHealth health, TimeProvider time) : IHostedService
{
    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(1);
    private volatile string _reason = "no answer yet";

    public Task StartAsync(CancellationToken cancellationToken) => health.WhileAsync(() => $"the {database.Kind} database of the cluster: {_reason}", WaitAsync, cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task WaitAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await database.CheckAsync(cancellationToken);
                return;
            }
            catch (Exception exception) when (ClusterDatabase.IsAway(exception))
            {
                _reason = exception.Message;
            }
            catch (DbException exception)
            {
                throw new LogConfigurationException($"Cluster:ConnectionString does not open the {database.Kind} database: {exception.Message}");
            }

            await Task.Delay(RetryPause, time, cancellationToken);
        }
    }
}
