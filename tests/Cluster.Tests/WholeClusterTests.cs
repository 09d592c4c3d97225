using System.Diagnostics;
using OrleansMqtt.Silo.Tests;

namespace OrleansMqtt.Cluster.Tests;

/// <summary>All processes of a cluster are lost at once, as when the power fails: nobody is left who could declare the others dead.</summary>
public sealed class WholeClusterTests
{
    /// <summary>Twenty seconds on a quiet machine, several minutes where they wait until they have tried long enough.</summary>
    private static readonly TimeSpan Allowed = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Processes_that_start_after_all_were_killed_serve_within_a_minute_and_have_all_sessions()
    {
        await using var cluster = await TestCluster.StartAsync(silos: 2, edges: 0);
        var lost = cluster.Running("silo,edge");
        await using (var client = await TestClient.ConnectAsync(lost[0].Port, "away", sessionExpiry: 3600))
        {
            await client.SubscribeAsync("kept/#");
        }

        await using (var publisher = await TestClient.ConnectAsync(lost[1].Port))
        {
            await publisher.PublishAsync("kept/a", "acknowledged");
        }

        await Task.WhenAll(lost.Select(static process => process.KillAsync()));
        var start = Stopwatch.GetTimestamp();
        var again = await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => cluster.AddAsync("silo,edge")));
        await using var back = await TestClient.ConnectAsync(again[0].Port, "away", sessionExpiry: 3600);
        Assert.True(back.IsSessionPresent);
        Assert.Equal("acknowledged", TestClient.TextOf(await back.ReceiveAsync()));
        var elapsed = Stopwatch.GetElapsedTime(start);
        TestContext.Current.TestOutputHelper!.WriteLine($"served again after {elapsed.TotalSeconds:F1} s");
        Assert.InRange(elapsed, TimeSpan.Zero, Allowed);
    }
}
