using Orleans.Runtime;

namespace OrleansMqtt.Edge.Tests;

/// <summary>A cluster of one edge.</summary>
internal sealed class FakeClusterStatisticsGrain : IClusterStatisticsGrain
{
    public ValueTask<ServerStatistics> Report(SiloAddress edge, ServerStatistics own, TimeSpan interval) => new(own);
}
