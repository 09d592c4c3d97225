using System.Diagnostics;
using OrleansMqtt.Silo.Tests;

namespace OrleansMqtt.Cluster.Tests;

/// <summary>Silos die, hang, come and go under load, while clients are connected through edges that live: these notice nothing but a pause.</summary>
public sealed class FailoverTests(ITestOutputHelper output)
{
    private const int Some = 200;

    [Fact]
    public async Task Clients_stay_connected_and_lose_nothing_when_a_silo_is_killed()
    {
        await using var cluster = await TestCluster.StartAsync(silos: 3, edges: 2, siloRoles: "silo");
        await using var traffic = await Traffic.StartAsync(cluster.Processes[3].Port, cluster.Processes[4].Port);
        await traffic.WaitForAsync(Some);
        await cluster.Processes[0].KillAsync();
        var (killed, pause) = (Stopwatch.GetTimestamp(), await PauseAsync(cluster));
        await cluster.WaitForOwnersAsync(2);
        await traffic.WaitForAsync(Some);
        await ReportAsync("silo SIGKILL", traffic, pause, killed);
        Assert.True(pause < TimeSpan.FromSeconds(8), $"{pause} without service");
    }

    [Fact]
    public async Task What_a_silo_that_dies_while_it_leaves_still_has_is_opened_by_the_others_without_a_call()
    {
        await using var cluster = await TestCluster.StartAsync(silos: 2, edges: 0, siloRoles: "silo");
        var (staying, leaving) = (cluster.Processes[0], cluster.Processes[1]);
        await UntilAsync(async () => await SessionPartitionsAsync(staying) is > 0 and < 8 && await SessionPartitionsAsync(staying) + await SessionPartitionsAsync(leaving) == 8);
        leaving.Process.Signal("TERM");
        await UntilAsync(async () => (await staying.GetClusterAsync()).Owners.Count == 1);
        await leaving.KillAsync();
        await UntilAsync(async () => await SessionPartitionsAsync(staying) == 8);

        static async Task<int> SessionPartitionsAsync(ServerProcess process) =>
            (await process.GetClusterAsync()).PartitionGrains.Count(static grain => grain.StartsWith("sessionpartition/", StringComparison.Ordinal));

        static async Task UntilAsync(Func<Task<bool>> condition)
        {
            using CancellationTokenSource timeout = new(TestClient.Limit);
            using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(20));
            while (!await condition())
            {
                await timer.WaitForNextTickAsync(timeout.Token);
            }
        }
    }

    [Fact]
    public async Task A_silo_that_hung_is_fenced_and_clients_lose_nothing()
    {
        await using var cluster = await TestCluster.StartAsync(silos: 3, edges: 1, siloRoles: "silo");
        await using var traffic = await Traffic.StartAsync(cluster.Processes[3].Port);
        await traffic.WaitForAsync(Some);
        cluster.Processes[1].Hang();
        var (hung, pause) = (Stopwatch.GetTimestamp(), await PauseAsync(cluster));
        await traffic.WaitForAsync(Some);
        cluster.Processes[1].Wake();
        await traffic.WaitForAsync(Some);
        await ReportAsync("silo SIGSTOP", traffic, pause, hung);
        Assert.True(pause < TimeSpan.FromSeconds(20), $"{pause} without service");
    }

    [Fact]
    public async Task Clients_feel_only_a_short_pause_when_silos_come_and_go()
    {
        await using var cluster = await TestCluster.StartAsync(silos: 2, edges: 1, siloRoles: "silo");
        await using var traffic = await Traffic.StartAsync(cluster.Processes[2].Port);
        await traffic.WaitForAsync(Some);
        var begun = Stopwatch.GetTimestamp();
        await cluster.AddAsync("silo");
        await cluster.WaitForOwnersAsync(3);
        await traffic.WaitForAsync(Some);
        Assert.Equal(0, await cluster.Processes[0].StopAsync());
        await cluster.WaitForOwnersAsync(2);
        await traffic.WaitForAsync(Some);
        await ReportAsync("silo joins, silo leaves", traffic, await PauseAsync(cluster), begun);
    }

    /// <summary>How long it takes until a new session on each partition is served, which a message to it shows.</summary>
    private static async Task<TimeSpan> PauseAsync(TestCluster cluster)
    {
        var begun = Stopwatch.GetTimestamp();
        var edge = cluster.Processes.Last(process => !process.Process.HasExited && process.Port != 0);
        await Task.WhenAll(Enumerable.Range(0, 16).Select(async _ =>
        {
            while (true)
            {
                try
                {
                    await using var client = await TestClient.ConnectAsync(edge.Port);
                    await client.SubscribeAsync($"probe/{client.GetHashCode()}");
                    await client.PublishAsync($"probe/{client.GetHashCode()}", "1");
                    await client.ReceiveAsync();
                    return;
                }
                catch (Exception exception) when (exception is not Xunit.Sdk.XunitException && Stopwatch.GetElapsedTime(begun) < TimeSpan.FromSeconds(60))
                {
                    // As a device does.
                    await Task.Yield();
                }
            }
        }));
        return Stopwatch.GetElapsedTime(begun);
    }

    private async Task ReportAsync(string fault, Traffic traffic, TimeSpan pause, long begun)
    {
        var (acknowledged, delivered) = await traffic.CheckAsync();
        output.WriteLine(
            $"{fault}: {acknowledged} acknowledged, {delivered} delivered, 0 lost, 0 twice; new clients served after {pause.TotalSeconds:F1} s, longest publish {traffic.LongestWait.TotalSeconds:F1} s, longest wait for a delivery {traffic.LongestGap.TotalSeconds:F1} s, {Stopwatch.GetElapsedTime(begun).TotalSeconds:F0} s in all");
    }
}
