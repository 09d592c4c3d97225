using Microsoft.Extensions.Diagnostics.HealthChecks;
using OrleansMqtt.Streams.Kafka;

namespace OrleansMqtt.Hosting;

/// <summary>Ready only while a silo owns the partitions: an edge alone serves nobody.</summary>
internal sealed class PartitionsHealthCheck(IPartitionMapSource map) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(map.Current.Silos.Count > 0 ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy("No silo of the cluster owns partitions."));
}
