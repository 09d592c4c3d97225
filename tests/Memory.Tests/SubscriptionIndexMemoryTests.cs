using OrleansMqtt.Grains;
using Xunit;

namespace OrleansMqtt.Memory.Tests;

/// <summary>What a router keeps of each filter of the cluster: the figure of <c>docs/scaling.md</c>.</summary>
public sealed class SubscriptionIndexMemoryTests
{
    [Theory]
    [InlineData("a filter a client", 200_000)]
    [InlineData("a filter of many clients", 1_000)]
    public void A_filter_takes_bounded_memory_and_nothing_more_for_further_sessions(string kind, int filters)
    {
        const int Sessions = 200_000;
        const int Routers = 4;
        SubscriptionIndex index = new();
        var routers = Enumerable.Range(0, Routers).Select(_ => index.TryOpen()!).ToArray();
        var bytes = UsedMemory.By(() =>
        {
            for (var i = 0; i < Sessions; i++)
            {
                string[] filter = [$"site/{i % filters}/command/+"];
                Array.ForEach(routers, router => router.Add(i % 64, filter));
            }
        });

        TestContext.Current.TestOutputHelper!.WriteLine($"{kind}: {bytes / index.Count} bytes a filter for all {Routers} routers of a silo, {bytes / Sessions} a session");
        Assert.Equal(filters, index.Count);
        Assert.InRange(bytes / index.Count, 1, 1_000);
        GC.KeepAlive(index);
    }
}
