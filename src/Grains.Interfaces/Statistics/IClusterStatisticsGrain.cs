using Orleans.Runtime;

namespace OrleansMqtt;

/// <summary>Adds the numbers of all edges up (key 0). Keeps nothing for good.</summary>
public interface IClusterStatisticsGrain : IGrainWithIntegerKey
{
    /// <summary>Takes the numbers of an edge's process, and returns those of the cluster.</summary>
    /// <param name="edge">The silo of the edge.</param>
    /// <param name="own">Its numbers now.</param>
    /// <param name="interval">How long it takes until the edge reports again, at most: one that is silent for three of them is gone.</param>
    ValueTask<ServerStatistics> Report(SiloAddress edge, [Immutable] ServerStatistics own, TimeSpan interval);
}
