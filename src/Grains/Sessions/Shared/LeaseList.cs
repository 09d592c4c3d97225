namespace OrleansMqtt.Grains;

/// <summary>The leases of a group, by number; the links are in the leases.</summary>
internal sealed class LeaseList
{
    private GroupLease? _first;
    private GroupLease? _last;

    /// <summary>The leases; the one that comes may be removed meanwhile.</summary>
    public IEnumerable<GroupLease> All
    {
        get
        {
            for (var lease = _first; lease is not null;)
            {
                var next = lease.Next;
                yield return lease;
                lease = next;
            }
        }
    }

    public void Add(GroupLease lease)
    {
        lease.Previous = _last;
        _ = _last is null ? _first = lease : _last.Next = lease;
        _last = lease;
    }

    public void Remove(GroupLease lease)
    {
        _ = lease.Previous is null ? _first = lease.Next : lease.Previous.Next = lease.Next;
        _ = lease.Next is null ? _last = lease.Previous : lease.Next.Previous = lease.Previous;
        (lease.Previous, lease.Next) = (null, null);
    }
}
