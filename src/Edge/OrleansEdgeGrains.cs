using Orleans.Runtime;

namespace OrleansMqtt.Edge;

/// <summary>The grains of the cluster.</summary>
internal sealed class OrleansEdgeGrains(IGrainFactory grains, ILocalSiloDetails silo) : IEdgeGrains
{
    public SiloAddress Edge => silo.SiloAddress;

    public ITopicGrain GetTopic(string topic) => grains.GetGrainOf<ITopicGrain>(topic);

    public IClientSessionGrain GetClient(string clientId) => grains.GetGrainOf<IClientSessionGrain>(clientId);

    public ISessionPartitionGrain GetSessionPartition(int partition) => grains.GetGrain<ISessionPartitionGrain>(partition);
}
