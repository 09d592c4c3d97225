using Microsoft.Extensions.Options;
using Orleans.Runtime;
using OrleansMqtt.Edge.Configuration;
using OrleansMqtt.Streams.Kafka;

namespace OrleansMqtt.Edge.Redirecting;

/// <summary>The other edges by what the members of the cluster say of themselves.</summary>
internal sealed class ClusterEdgeDirectory(ISiloStatusOracle silos, IMembers members, IOptions<EdgeOptions> options, IClientOwners? owners = null) : IEdgeDirectory
{
    private int _last;

    public bool HasOthers => silos.GetApproximateSiloStatuses().Any(silo => silo.Value != SiloStatus.Dead && !silo.Key.Equals(silos.SiloAddress));

    public string? FindOwner(string clientId) =>
        owners?.GetOwner(clientId) is { } owner && !owner.Equals(silos.SiloAddress) && members.Active.TryGetValue(owner, out var state) ? AddressOf(state) : null;

    public string? FindOther()
    {
        string[] others =
        [
            .. members.Active.Where(member => !member.Key.Equals(silos.SiloAddress)).OrderBy(static member => member.Key).Select(static member => AddressOf(member.Value)).OfType<string>(),
        ];
        return others.Length == 0 ? null : others[(int)((uint)Interlocked.Increment(ref _last) % others.Length)];
    }

    public void SetFull(bool isFull) => _ = members.ChangeAsync(state => state with { IsFull = isFull });

    public Task OpenAsync() => members.ChangeAsync(state => state with { EdgeAddress = options.Value.AdvertisedAddress });

    public Task LeaveAsync() => members.LeaveAsync();

    private static string? AddressOf(MemberState state) => state is { IsFull: false, IsLeaving: false } ? state.EdgeAddress : null;
}
