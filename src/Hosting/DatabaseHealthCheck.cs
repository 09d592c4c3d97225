using System.Data.Common;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace OrleansMqtt.Hosting;

/// <summary>Tells when the database of the cluster is away. Running traffic goes on without it: no process can join meanwhile, or be found dead.</summary>
internal sealed class DatabaseHealthCheck(ClusterDatabase database) : IHealthCheck
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            await database.CheckAsync(cancellationToken).WaitAsync(Limit, cancellationToken);
            return HealthCheckResult.Healthy();
        }
        catch (Exception exception) when (exception is DbException or TimeoutException or Log.LogConfigurationException || ClusterDatabase.IsAway(exception))
        {
            return HealthCheckResult.Degraded($"The {database.Kind} database of the cluster does not answer: {exception.Message}");
        }
    }
}
