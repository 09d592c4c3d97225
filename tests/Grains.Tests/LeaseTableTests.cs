using Xunit;

namespace OrleansMqtt.Grains.Tests;

public sealed class LeaseTableTests
{
    private readonly LeaseTable _table = new();

    [Fact]
    public void Nothing_is_found_before_the_first_lease() => Assert.Null(_table.Find(5));

    [Fact]
    public void Leases_are_found_by_their_numbers_until_they_are_over_also_those_that_stay_very_long()
    {
        var old = Enumerable.Range(1, 10).Select(static number => Lease(number)).ToList();
        old.ForEach(_table.Add);
        List<GroupLease> open = [];
        for (var number = 11L; number < 100_000; number++)
        {
            var lease = Lease(number);
            _table.Add(lease);
            open.Add(lease);
            if (open.Count > 3)
            {
                _table.Remove(open[0]);
                Assert.Null(_table.Find(open[0].Number));
                open.RemoveAt(0);
            }
        }

        Assert.All(old.Concat(open), lease => Assert.Same(lease, _table.Find(lease.Number)));
        Assert.Null(_table.Find(11));
        Assert.Null(_table.Find(1_000_000));
        old.ForEach(_table.Remove);
        Assert.All(old, lease => Assert.Null(_table.Find(lease.Number)));
        Assert.All(open, lease => Assert.Same(lease, _table.Find(lease.Number)));
    }

    [Fact]
    public void A_lease_that_is_offered_again_later_is_found_beside_a_newer_one_of_its_place()
    {
        var newer = Lease(8_193);
        var older = Lease(1);
        _table.Add(newer);
        _table.Add(older);
        Assert.Same(newer, _table.Find(8_193));
        Assert.Same(older, _table.Find(1));
        _table.Remove(newer);
        Assert.Null(_table.Find(8_193));
        Assert.Same(older, _table.Find(1));
    }

    private static GroupLease Lease(long number) => new(number, null!, null!, default, qos: 1, bytes: 0);
}
