using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace OrleansMqtt.Hosting;

/// <summary>Not ready from the moment at which the process is told to end: its clients are being sent away, and no new ones are taken.</summary>
internal sealed class StoppingHealthCheck(IHostApplicationLifetime lifetime) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(lifetime.ApplicationStopping.IsCancellationRequested ? HealthCheckResult.Unhealthy("The process stops.") : HealthCheckResult.Healthy());
}
