using Xunit;

namespace OrleansMqtt.Grains.Tests;

public sealed class IdentifierSetsTests
{
    [Fact]
    public void Identifiers_come_in_the_order_in_which_they_were_added_as_often_as_they_were()
    {
        IdentifierSets sets = new();
        Assert.Null(sets.Add(null, 0));
        var set = sets.Add(sets.Add(sets.Add(sets.Add(null, 5), 0), 268_435_455), 5)!;
        Assert.Equal([5, 268_435_455, 5], set);
    }

    [Fact]
    public void What_came_before_is_the_same_array_again_and_is_never_changed()
    {
        IdentifierSets sets = new();
        var one = sets.Add(null, 1)!;
        var both = sets.Add(one, 2)!;
        Assert.Same(both, sets.Add(sets.Add(null, 1), 2));
        for (var i = 1; i < 10_000; i++)
        {
            Assert.Equal([i], sets.Add(null, i)!);
            Assert.Equal([1, i], sets.Add(one, i)!);
        }

        Assert.Equal([1], one);
        Assert.Equal([1, 2], both);
    }
}
