using Microsoft.Extensions.Diagnostics.HealthChecks;
using OrleansMqtt.Log;

namespace OrleansMqtt.Hosting;

/// <summary>Ready only while the log answers.</summary>
internal sealed class LogHealthCheck(IMessageLog log) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(log.Health.IsReachable ? HealthCheckResult.Healthy(log.Health.Description) : HealthCheckResult.Unhealthy(log.Health.Description));
}
