namespace OrleansMqtt.Edge.Tests.Fuzzing;

/// <summary>
/// Mutated packets, in mutated pieces, from many connections at a time. <c>ORLEANSMQTT_FUZZ</c> is the number of inputs, <c>ORLEANSMQTT_SEED</c> makes others; with
/// <c>ORLEANSMQTT_FUZZ_INPUT</c> one input runs alone, as a failure prints it.
/// </summary>
[Collection(nameof(FuzzTests)), CollectionDefinition(nameof(FuzzTests), DisableParallelization = true)]
public sealed class FuzzTests(ITestOutputHelper output)
{
    private const int SocketEvery = 50;
    private const int Workers = 8;

    /// <summary>So that the inputs, and not the witness, take the time.</summary>
    private static readonly TimeSpan WitnessPause = TimeSpan.FromMilliseconds(10);

    [Fact]
    public async Task Whatever_clients_send_is_answered_as_specified_and_harms_nobody()
    {
        var (inputs, seed) = (FuzzInputs.Setting("ORLEANSMQTT_FUZZ", 100_000), FuzzInputs.Setting("ORLEANSMQTT_SEED", 1));
        await using var host = await FuzzHost.StartAsync();
        FuzzInputs runs = new(seed, Workers, (input, number) => RunAsync(host, input, bySocket: number % SocketEvery == 0));
        if (FuzzInputs.Setting("ORLEANSMQTT_FUZZ_INPUT", -1) is >= 0 and var only)
        {
            await runs.RunAsync(only, only + 1);
            return;
        }

        using var witness = await Witness.ConnectAsync(host.EndPoint.Port);
        using CancellationTokenSource done = new();
        var watched = Task.Run(() => witness.RunAsync(WitnessPause, done.Token));

        // Caches fill in the first part.
        await runs.RunAsync(0, inputs / 4);
        await SettleAsync(host);
        var before = MeasureMemory();
        await runs.RunAsync(inputs / 4, inputs);
        await SettleAsync(host);
        var after = MeasureMemory();
        await done.CancelAsync();
        output.WriteLine($"{inputs} inputs; {await watched} messages of the witness; {before / 1024:N0} KB before, {after / 1024:N0} KB after");
        Assert.Empty(host.Log.Unexpected);
        Assert.InRange(after, 0, before + (16 * 1024 * 1024));
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_stream_may_be_split_anywhere(bool isV5)
    {
        await using var host = await FuzzHost.StartAsync();
        for (var seed = 0; seed < 8; seed++)
        {
            var stream = FuzzGenerator.MakeValid(seed, isV5, count: 6);
            await RunAsync(host, new([.. stream.Select(static each => new[] { each })], IsWebSocket: false, stream), bySocket: false);
            for (var split = 1; split < Math.Min(stream.Length, 600); split++)
            {
                byte[][] parts = [stream[..split], stream[split..]];
                await RunAsync(host, new(parts, IsWebSocket: false, stream), bySocket: false);
                await RunAsync(host, FuzzGenerator.MakeWebSocket(new Random(split), stream, parts), bySocket: false);
            }
        }

        await SettleAsync(host, connections: 0);
        Assert.Empty(host.Log.Unexpected);
    }

    private static async Task RunAsync(FuzzHost host, FuzzInput input, bool bySocket)
    {
        var answers = await FuzzRun.RunAsync(
            async () => bySocket ? await FuzzChannel.ConnectAsync(host.EndPoint) : FuzzChannel.Open(host), input, input.Stream is { } stream ? ServerModel.Run(stream, FuzzAuthenticator.MethodName) : null);
        Assert.Empty(answers.Deliveries);
    }

    /// <summary>All connections but the witness's end, and give back what they took.</summary>
    private static async Task SettleAsync(FuzzHost host, int connections = 1)
    {
        using CancellationTokenSource timeout = new(TimeSpan.FromSeconds(30));
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(10));
        var context = host.Context;
        while (context.Connections.All.Count() > connections || host.Grains.Sessions > connections || context.Credits.Outstanding > 64 * 1024)
        {
            await timer.WaitForNextTickAsync(timeout.Token);
        }
    }

    private static long MeasureMemory()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        var info = GC.GetGCMemoryInfo(GCKind.FullBlocking);
        return info.HeapSizeBytes - info.FragmentedBytes;
    }
}
