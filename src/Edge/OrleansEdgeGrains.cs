using Orleans.Runtime;

namespace OrleansMqtt.Edge;

/// <summary>The grains of the cluster.</summary>
internal sealed class OrleansEdgeGrains(IGrainFactory grains, ILocalSiloDetails silo, IClientOwners? clients = null, IRetainedTopic? retained = null) : IEdgeGrains
{
    public SiloAddress Edge => silo.SiloAddress;

    public ITopicGrain GetTopic(string topic) => grains.GetGrainOf<ITopicGrain>(topic);

    public IClientSessionGrain GetClient(string clientId) => grains.GetGrainOf<IClientSessionGrain>(clientId);

    public ISessionPartitionGrain GetSessionPartition(int partition) => grains.GetGrain<ISessionPartitionGrain>(partition);

    public IRetainedPartitionGrain GetRetainedPartition(int partition) => grains.GetGrain<IRetainedPartitionGrain>(partition);

    public IClusterStatisticsGrain GetClusterStatistics() => grains.GetGrain<IClusterStatisticsGrain>(0);

    public int SessionPartitionOf(string clientId) => clients?.PartitionOf(clientId) ?? 0;

    public int RetainedPartitionOf(ReadOnlySpan<byte> topic) => retained?.PartitionOf(topic) ?? 0;
}
