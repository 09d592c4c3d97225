using Orleans.Runtime;

namespace OrleansMqtt.Edge;

/// <summary>The grains that an edge calls.</summary>
internal interface IEdgeGrains
{
    /// <summary>The silo of this edge.</summary>
    SiloAddress Edge { get; }

    ITopicGrain GetTopic(string topic);

    IClientSessionGrain GetClient(string clientId);

    ISessionPartitionGrain GetSessionPartition(int partition);

    IRetainedPartitionGrain GetRetainedPartition(int partition);

    IClusterStatisticsGrain GetClusterStatistics();

    /// <summary>See <see cref="IClientOwners"/>.</summary>
    int SessionPartitionOf(string clientId);

    /// <summary>See <see cref="IRetainedTopic"/>.</summary>
    int RetainedPartitionOf(ReadOnlySpan<byte> topic);
}
