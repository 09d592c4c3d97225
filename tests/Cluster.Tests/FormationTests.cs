using OrleansMqtt.Silo.Tests;

namespace OrleansMqtt.Cluster.Tests;

/// <summary>Processes find each other by the database, and share the work.</summary>
public sealed class FormationTests
{
    [Fact]
    public async Task A_message_published_at_an_edge_reaches_a_subscriber_of_each_process()
    {
        await using var cluster = await TestCluster.StartAsync(silos: 2, edges: 1);
        var edge = cluster.Processes.Single(process => process.Name.StartsWith("edge", StringComparison.Ordinal));
        List<TestClient> subscribers = [];
        foreach (var process in cluster.Processes)
        {
            // Several, so that their sessions are on both silos.
            for (var i = 0; i < 4; i++)
            {
                subscribers.Add(await TestClient.ConnectAsync(process.Port));
                await subscribers[^1].SubscribeAsync("plant/#");
            }
        }

        await using var publisher = await TestClient.ConnectAsync(edge.Port);
        for (var i = 0; i < 20; i++)
        {
            Assert.True((await publisher.PublishAsync($"plant/{i}", $"{i}")).IsSuccess);
        }

        foreach (var subscriber in subscribers)
        {
            Assert.Equal(Enumerable.Range(0, 20).Select(i => $"{i}").Order(), (await subscriber.ReceiveAsync(20)).Order());
            await subscriber.DisposeAsync();
        }
    }

    [Fact]
    public async Task Partitions_are_spread_over_the_silos_and_an_edge_or_a_silo_without_clients_has_only_its_own()
    {
        await using var cluster = await TestCluster.StartAsync(silos: 2, edges: 1, siloRoles: "silo");
        var (first, second, edge) = (cluster.Processes[0], cluster.Processes[1], cluster.Processes[2]);
        Assert.Equal((0, 0), (first.Port, second.Port));
        await using var client = await TestClient.ConnectAsync(edge.Port);
        await client.SubscribeAsync("a");
        await client.PublishAsync("a", "1");
        Assert.Equal("1", TestClient.TextOf(await client.ReceiveAsync()));

        var views = await Task.WhenAll(cluster.Processes.Select(process => process.GetClusterAsync()));
        Assert.Empty(views[2].PartitionGrains);
        Assert.Equal(0, views[2].OtherGrains);
        Assert.DoesNotContain(views[2].Silo, views[0].Owners);
        Assert.All(views[..2], view => Assert.NotEmpty(view.PartitionGrains));
        var all = views.SelectMany(view => view.PartitionGrains).ToList();
        Assert.Equal(all.Count, all.Distinct().Count());

        // Eight routers and eight partitions of sessions.
        Assert.Equal(8, all.Count(grain => grain.StartsWith("router/", StringComparison.Ordinal)));
        Assert.Equal(8, all.Count(grain => grain.StartsWith("sessionpartition/", StringComparison.Ordinal)));
        Assert.StartsWith("200 Healthy", await edge.GetAsync("/health/ready"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_third_silo_takes_only_its_share_and_a_silo_that_leaves_gives_only_its_own()
    {
        await using var cluster = await TestCluster.StartAsync(silos: 2, edges: 1);
        await using var client = await TestClient.ConnectAsync(cluster.Processes[2].Port);
        await client.SubscribeAsync("a/#");
        var before = await GrainsAsync(cluster);
        var third = await cluster.AddAsync("silo,edge");
        await cluster.WaitForOwnersAsync(3);
        await WaitForGrainsAsync(cluster, before.Keys);
        var with = await GrainsAsync(cluster);
        var silo = (await third.GetClusterAsync()).Silo;
        Assert.Contains(with.Values, owner => owner == silo);
        Assert.All(with, grain => Assert.True(grain.Value == silo || grain.Value == before[grain.Key], $"{grain.Key} moved between others."));

        Assert.Equal(0, await third.StopAsync());
        await cluster.WaitForOwnersAsync(2);
        await WaitForGrainsAsync(cluster, before.Keys);
        Assert.Equal(before.Order(), (await GrainsAsync(cluster)).Order());
        await using var other = await TestClient.ConnectAsync(cluster.Processes[0].Port);
        await other.SubscribeAsync("b");
        await other.PublishAsync("b", "1");
        Assert.Equal("1", TestClient.TextOf(await other.ReceiveAsync()));
    }

    /// <summary>Each grain of a partition, with its silo.</summary>
    private static async Task<Dictionary<string, string>> GrainsAsync(TestCluster cluster)
    {
        var views = await Task.WhenAll(cluster.Processes.Where(process => !process.Process.HasExited).Select(process => process.GetClusterAsync()));
        return views.SelectMany(view => view.PartitionGrains.Select(grain => (grain, view.Silo))).GroupBy(pair => pair.grain, pair => pair.Silo).ToDictionary(group => group.Key, group => group.First());
    }

    private static async Task WaitForGrainsAsync(TestCluster cluster, IEnumerable<string> grains)
    {
        using CancellationTokenSource timeout = new(TestClient.Limit);
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(100));
        while (grains.Except((await GrainsAsync(cluster)).Keys).Any())
        {
            await timer.WaitForNextTickAsync(timeout.Token);
        }
    }
}
