using Orleans.Runtime.Services;

namespace OrleansMqtt.Grains;

/// <summary>The edges by the silo they run in.</summary>
internal sealed class EdgeServices(IServiceProvider services, ISiloStatusOracle silos) : GrainServiceClient<IEdgeService>(services)
{
    public IEdgeService Of(SiloAddress silo) => GetGrainService(silo);

    /// <summary>Whether a silo is dead for good.</summary>
    public bool IsDead(SiloAddress silo) => silos.IsDeadSilo(silo);
}
