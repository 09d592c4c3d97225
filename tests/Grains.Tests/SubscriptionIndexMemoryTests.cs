using Xunit;

namespace OrleansMqtt.Grains.Tests;

/// <summary>What a router keeps of each filter of the cluster: the figure of <c>docs/scaling.md</c>.</summary>
[Collection(nameof(MemoryCollection))]
public sealed class SubscriptionIndexMemoryTests
{
    [Theory]
    [InlineData("a filter a client", 200_000)]
    [InlineData("a filter of many clients", 1_000)]
    public void A_filter_takes_bounded_memory_and_nothing_more_for_further_sessions(string kind, int filters)
    {
        const int Sessions = 200_000;
        SubscriptionIndex index = new();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var i = 0; i < Sessions; i++)
        {
            index.Add($"site/{i % filters}/command/+", i % 64);
        }

        var bytes = GC.GetTotalMemory(forceFullCollection: true) - before;
        TestContext.Current.TestOutputHelper!.WriteLine($"{kind}: {bytes / index.Count} bytes a filter, {bytes / Sessions} a session");
        Assert.Equal(filters, index.Count);
        Assert.InRange(bytes / index.Count, 1, 1_500);
        GC.KeepAlive(index);
    }
}
