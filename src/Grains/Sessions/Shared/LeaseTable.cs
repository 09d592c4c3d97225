namespace OrleansMqtt.Grains;

/// <summary>
/// The leases of a partition's groups by number. Numbers follow each other, so a lease has its place in a ring, and needs no hash; one that is still there when the ring comes round
/// stands beside it from then on.
/// </summary>
internal sealed class LeaseTable
{
    private const int Size = 8192;
    private readonly Dictionary<long, GroupLease> _beside = [];
    private GroupLease?[] _ring = [];

    public void Add(GroupLease lease)
    {
        _ring = _ring.Length == 0 ? new GroupLease?[Size] : _ring;
        ref var place = ref _ring[PlaceOf(lease.Number)];
        if (place is not null)
        {
            _beside.Add(place.Number, place);
        }

        place = lease;
    }

    /// <summary>The lease of a number; null when it is over.</summary>
    public GroupLease? Find(long number)
    {
        if (_ring.Length == 0)
        {
            return null;
        }

        var lease = _ring[PlaceOf(number)];
        return lease?.Number == number ? lease : _beside.GetValueOrDefault(number);
    }

    public void Remove(GroupLease lease)
    {
        ref var place = ref _ring[PlaceOf(lease.Number)];
        if (place == lease)
        {
            place = null;
        }
        else
        {
            _beside.Remove(lease.Number);
        }
    }

    private static int PlaceOf(long number) => (int)(number & (Size - 1));
}
