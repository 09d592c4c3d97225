using Microsoft.Extensions.DependencyInjection;
using Orleans.Runtime;
using Orleans.Runtime.MembershipService.SiloMetadata;

namespace OrleansMqtt.Edge.Redirecting;

/// <summary>The other edges by the membership of the cluster and what they say in their metadata (<see cref="EdgeMetadata"/>).</summary>
internal sealed class ClusterEdgeDirectory(IServiceProvider services, ISiloStatusOracle silos, IClientOwners? owners = null) : IEdgeDirectory
{
    private readonly ISiloMetadataCache? _metadata = services.GetService<ISiloMetadataCache>();
    private int _last;

    public bool HasOthers => silos.GetApproximateSiloStatuses().Any(silo => silo.Value != SiloStatus.Dead && !silo.Key.Equals(silos.SiloAddress));

    public string? FindOwner(string clientId) => owners?.GetOwner(clientId) is { } owner && !owner.Equals(silos.SiloAddress) ? AddressOf(owner) : null;

    public string? FindOther()
    {
        string[] others =
        [
            .. silos.GetApproximateSiloStatuses(onlyActive: true).Keys.Where(silo => !silo.Equals(silos.SiloAddress)).Order().Select(AddressOf).OfType<string>(),
        ];
        return others.Length == 0 ? null : others[(int)((uint)Interlocked.Increment(ref _last) % others.Length)];
    }

    private string? AddressOf(SiloAddress silo) => _metadata?.GetSiloMetadata(silo).Metadata.GetValueOrDefault(EdgeMetadata.AddressKey);
}
