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
    public async Task Two_processes_find_each_other_without_a_database()
    {
        var primary = $"127.0.0.1:{TestPorts.Free()}";
        await using var cluster = await TestCluster.StartAsync(silos: 0, edges: 0, configure: settings =>
        {
            settings.Remove("Cluster__Database");
            settings.Remove("Cluster__ConnectionString");
            settings["Cluster__PrimarySilo"] = primary;
        });
        cluster.Settings["Cluster__SiloPort"] = primary[(primary.IndexOf(':', StringComparison.Ordinal) + 1)..];
        var first = await cluster.AddAsync("silo,edge");
        cluster.Settings.Remove("Cluster__SiloPort");
        var second = await cluster.AddAsync("silo,edge");
        await RequireSharedWorkAsync(cluster, first, second);
    }

    [Fact]
    public async Task Two_processes_find_each_other_by_a_MySql_database()
    {
        await using var database = await MariaDbServer.StartAsync();
        await using var cluster = await TestCluster.StartAsync(
            silos: 2, edges: 0, configure: settings => (settings["Cluster__Database"], settings["Cluster__ConnectionString"]) = ("MySql", database.ConnectionString));
        await RequireSharedWorkAsync(cluster, cluster.Processes[0], cluster.Processes[1]);
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

        await SettledAsync(cluster, 20);
        var views = await Task.WhenAll(cluster.Processes.Select(process => process.GetClusterAsync()));
        Assert.Empty(views[2].PartitionGrains);
        Assert.Equal(0, views[2].OtherGrains);
        Assert.DoesNotContain(views[2].Silo, views[0].Owners);
        Assert.All(views[..2], view => Assert.NotEmpty(view.PartitionGrains));
        Assert.StartsWith("200 Healthy", await edge.GetAsync("/health/ready"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_third_silo_takes_only_its_share_and_a_silo_that_leaves_gives_only_its_own()
    {
        await using var cluster = await TestCluster.StartAsync(silos: 2, edges: 1);
        await using var client = await TestClient.ConnectAsync(cluster.Processes[2].Port);
        await client.SubscribeAsync("a/#");
        // Eight routers, eight partitions of sessions, four of retained messages.
        const int Grains = 20;
        var before = await SettledAsync(cluster, Grains);
        var third = await cluster.AddAsync("silo,edge");
        await cluster.WaitForOwnersAsync(3);
        var with = await SettledAsync(cluster, Grains);
        var silo = (await third.GetClusterAsync()).Silo;
        Assert.Contains(with.Values, owner => owner == silo);
        Assert.All(with, grain => Assert.True(grain.Value == silo || grain.Value == before[grain.Key], $"{grain.Key} moved between others."));

        Assert.Equal(0, await third.StopAsync());
        await cluster.WaitForOwnersAsync(2);
        Assert.Equal(before.OrderBy(grain => grain.Key), (await SettledAsync(cluster, Grains)).OrderBy(grain => grain.Key));
        await using var other = await TestClient.ConnectAsync(cluster.Processes[0].Port);
        await other.SubscribeAsync("b");
        await other.PublishAsync("b", "1");
        Assert.Equal("1", TestClient.TextOf(await other.ReceiveAsync()));
    }

    /// <summary>Each grain of a partition, with its silo, once all of them are where they belong: a message under way can still place one by an older map.</summary>
    private static async Task<Dictionary<string, string>> SettledAsync(TestCluster cluster, int count)
    {
        using CancellationTokenSource timeout = new(TestClient.Limit);
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(200));
        List<(string Grain, string Silo)> last = [];
        while (true)
        {
            var views = await Task.WhenAll(cluster.Processes.Where(process => !process.Process.HasExited).Select(process => process.GetClusterAsync()));
            var grains = views.SelectMany(view => view.PartitionGrains.Select(grain => (grain, view.Silo))).Order().ToList();
            if (Array.TrueForAll(views, view => view.Misplaced == 0) && grains.Count == count && grains.SequenceEqual(last) && grains.DistinctBy(pair => pair.grain).Count() == count)
            {
                return grains.ToDictionary(pair => pair.grain, pair => pair.Silo);
            }

            last = grains;
            await timer.WaitForNextTickAsync(timeout.Token);
        }
    }

    /// <summary>Clients of one reach those of the other, and one can leave.</summary>
    private static async Task RequireSharedWorkAsync(TestCluster cluster, ServerProcess first, ServerProcess second)
    {
        await cluster.WaitForOwnersAsync(2);
        await using var subscriber = await TestClient.ConnectAsync(first.Port);
        await subscriber.SubscribeAsync("plant/#");
        await using var publisher = await TestClient.ConnectAsync(second.Port);
        await publisher.PublishAsync("plant/1", "1");
        Assert.Equal("1", TestClient.TextOf(await subscriber.ReceiveAsync()));
        Assert.Equal(0, await second.StopAsync());
        await cluster.WaitForOwnersAsync(1);
    }
}
