namespace OrleansMqtt.Grains;

/// <summary>The leases of a group; each knows its place. They are not linked to each other: the garbage collector would follow the links of thousands one by one.</summary>
internal sealed class LeaseList
{
    private readonly List<GroupLease> _leases = [];

    /// <summary>The leases as they are now, by number.</summary>
    public GroupLease[] All => [.. _leases.OrderBy(static lease => lease.Number)];

    public void Add(GroupLease lease)
    {
        lease.Place = _leases.Count;
        _leases.Add(lease);
    }

    public void Remove(GroupLease lease)
    {
        var last = _leases[^1];
        _leases[lease.Place] = last;
        last.Place = lease.Place;
        _leases.RemoveAt(_leases.Count - 1);
    }
}
