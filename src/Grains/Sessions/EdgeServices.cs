using Orleans.Runtime.MembershipService.SiloMetadata;
using Orleans.Runtime.Services;
using OrleansMqtt.Streams.Kafka;

namespace OrleansMqtt.Grains;

/// <summary>The edges by the silo they run in.</summary>
internal sealed class EdgeServices(IServiceProvider services, ISiloStatusOracle silos, ISiloMetadataCache? metadata = null) : GrainServiceClient<IEdgeService>(services)
{
    /// <summary>The silos that may have an edge with connections: one that stops has ended them before its silo does.</summary>
    public IEnumerable<SiloAddress> Living => silos.GetApproximateSiloStatuses(onlyActive: true).Keys.Where(HasEdge);

    public IEdgeService Of(SiloAddress silo) => GetGrainService(silo);

    /// <summary>Whether a silo is dead for good, or never had connections. One that nobody knows, and that started before this one, was of an earlier cluster.</summary>
    public bool IsDead(SiloAddress silo) => silos.GetApproximateSiloStatus(silo) switch
    {
        SiloStatus.Dead => true,
        SiloStatus.None => silo.Generation < silos.SiloAddress.Generation,
        _ => !HasEdge(silo),
    };

    private bool HasEdge(SiloAddress silo) => metadata is null || PartitionMapMetadata.HasRole(metadata.GetSiloMetadata(silo).Metadata, PartitionMapMetadata.EdgeRole);
}
