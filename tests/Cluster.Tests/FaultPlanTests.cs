using OrleansMqtt.Faults;

namespace OrleansMqtt.Cluster.Tests;

/// <summary>A fixed plan of the fault harness, of some minutes; the whole matrix is <c>dotnet run --project tests/Faults -- --matrix</c>.</summary>
public sealed class FaultPlanTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Nothing_acknowledged_is_lost_and_nothing_of_QoS_2_comes_twice_whatever_happens_to_the_processes()
    {
        await using var run = await FaultRun.StartAsync(seed: 7, silos: 3, edges: 2, TimeSpan.FromSeconds(5));
        foreach (var kind in (FaultKind[])[FaultKind.SiloKill, FaultKind.EdgeKill, FaultKind.SiloHang, FaultKind.PlannedMove, FaultKind.ConnectFlood, FaultKind.MalformedPackets])
        {
            var row = await run.RunAsync(kind, output.WriteLine);
            Assert.True(row.IsCorrect, $"{row}");
        }
    }
}
