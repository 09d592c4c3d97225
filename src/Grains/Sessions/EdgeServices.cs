using Orleans.Runtime.Services;

namespace OrleansMqtt.Grains;

/// <summary>The edges by the silo they run in.</summary>
internal sealed class EdgeServices(IServiceProvider services, ISiloStatusOracle silos) : GrainServiceClient<IEdgeService>(services)
{
    /// <summary>The silos that may have an edge with connections.</summary>
    public IEnumerable<SiloAddress> Living => silos.GetApproximateSiloStatuses()
        .Where(static each => each.Value is SiloStatus.Active or SiloStatus.ShuttingDown or SiloStatus.Stopping)
        .Select(static each => each.Key);

    public IEdgeService Of(SiloAddress silo) => GetGrainService(silo);

    /// <summary>Whether a silo is dead for good. One that nobody knows, and that started before this one, was of an earlier cluster.</summary>
    public bool IsDead(SiloAddress silo) => silos.GetApproximateSiloStatus(silo) switch
    {
        SiloStatus.Dead => true,
        SiloStatus.None => silo.Generation < silos.SiloAddress.Generation,
        _ => false,
    };
}
