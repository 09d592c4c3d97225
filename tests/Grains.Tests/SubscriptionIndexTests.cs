using Xunit;

namespace OrleansMqtt.Grains.Tests;

public sealed class SubscriptionIndexTests
{
    private readonly SubscriptionIndex _index = new();

    [Fact]
    public void A_filter_stays_until_no_router_has_it()
    {
        var (first, second) = (_index.TryOpen()!, _index.TryOpen()!);
        first.Add(3, ["a/+"]);
        second.Add(3, ["a/+"]);
        second.Add(5, ["a/#"]);

        first.Remove(3, ["a/+"]);
        Assert.Equal([3, 5], Match(first, "a/b"));
        second.Remove(3, ["a/+"]);
        Assert.Equal([5], Match(first, "a/b"));
        Assert.Equal([5], Match(second, "a/b"));
        second.Remove(5, ["a/#"]);
        Assert.Empty(Match(first, "a/b"));
        Assert.Equal(0, _index.Count);
    }

    [Fact]
    public void A_filter_that_went_and_came_again_stays_whichever_router_hears_of_it_last()
    {
        var (fast, slow) = (_index.TryOpen()!, _index.TryOpen()!);
        fast.Add(1, ["x"]);
        slow.Add(1, ["x"]);

        fast.Remove(1, ["x"]);
        fast.Add(1, ["x"]);
        slow.Remove(1, ["x"]);

        Assert.Equal([1], Match(fast, "x"));
    }

    [Fact]
    public void Each_of_many_session_partitions_is_found_and_goes_by_itself()
    {
        var router = _index.TryOpen()!;
        for (var target = 0; target < 200; target++)
        {
            router.Add(target, ["t", "+"]);
        }

        Assert.Equal(Enumerable.Range(0, 200), Match(router, "t"));
        for (var target = 0; target < 200; target += 2)
        {
            router.RemoveAll(target);
        }

        Assert.Equal(Enumerable.Range(0, 200).Where(target => target % 2 == 1), Match(router, "t"));
        Assert.Equal(2, _index.Count);
    }

    [Fact]
    public void A_router_that_ends_takes_its_own_along_and_its_place_is_free()
    {
        var routers = Enumerable.Range(0, 64).Select(_ => _index.TryOpen()!).ToArray();
        Assert.Null(_index.TryOpen());
        routers[7].Add(1, ["own", "shared/#"]);
        routers[8].Add(2, ["shared/#"]);

        routers[7].Dispose();

        Assert.Empty(Match(routers[8], "own"));
        Assert.Equal([2], Match(routers[8], "shared/x"));
        Assert.Empty(Match(_index.TryOpen()!, "own"));
        Assert.Null(_index.TryOpen());
    }

    [Fact]
    public void More_routers_than_one_index_has_places_for_get_another()
    {
        SubscriptionIndexes indexes = new();
        var routers = Enumerable.Range(0, 130).Select(_ => indexes.Open()).ToArray();
        routers[0].Add(1, ["a"]);
        routers[129].Add(2, ["a"]);
        Assert.Equal([1], Match(routers[0], "a"));
        Assert.Equal([2], Match(routers[129], "a"));
    }

    [Fact]
    public async Task Routers_match_while_others_change()
    {
        var (changing, matching) = (_index.TryOpen()!, _index.TryOpen()!);
        matching.Add(1, ["always/+"]);
        var changes = Task.Run(() =>
        {
            for (var i = 0; i < 20_000; i++)
            {
                changing.Add(2, [$"always/{i % 10}"]);
                changing.Remove(2, [$"always/{(i + 5) % 10}"]);
            }
        }, TestContext.Current.CancellationToken);
        var matches = 0;
        while (!changes.IsCompleted || matches == 0)
        {
            Assert.Contains(1, Match(matching, "always/3"));
            matches++;
        }

        await changes;
        changing.RemoveAll(2);
        Assert.Equal([1], Match(matching, "always/3"));
    }

    private static List<int> Match(RouterIndex router, string topic)
    {
        List<int> found = [];
        router.Begin();
        foreach (var target in router.Match(topic))
        {
            found.Add(target);
        }

        router.End();
        return found;
    }
}
