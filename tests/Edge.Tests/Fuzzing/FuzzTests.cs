using System.Collections.Concurrent;
using System.Globalization;

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
    private const int MostFailures = 10;

    [Fact]
    public async Task Whatever_clients_send_is_answered_as_specified_and_harms_nobody()
    {
        var (inputs, seed) = (Setting("ORLEANSMQTT_FUZZ", 100_000), Setting("ORLEANSMQTT_SEED", 1));
        await using var host = await FuzzHost.StartAsync();
        if (Setting("ORLEANSMQTT_FUZZ_INPUT", -1) is >= 0 and var only)
        {
            await RunAsync(host, seed, only);
            return;
        }

        using var witness = await Witness.ConnectAsync(host);
        using CancellationTokenSource done = new();
        var watched = Task.Run(() => witness.RunAsync(done.Token));

        // Caches fill in the first part.
        await RunAsync(host, seed, 0, inputs / 4);
        await SettleAsync(host);
        var before = MeasureMemory();
        await RunAsync(host, seed, inputs / 4, inputs);
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
            await FuzzRun.RunAsync(host, new([.. stream.Select(static each => new[] { each })], IsWebSocket: false, stream), bySocket: false);
            for (var split = 1; split < Math.Min(stream.Length, 600); split++)
            {
                byte[][] parts = [stream[..split], stream[split..]];
                await FuzzRun.RunAsync(host, new(parts, IsWebSocket: false, stream), bySocket: false);
                await FuzzRun.RunAsync(host, FuzzGenerator.MakeWebSocket(new Random(split), stream, parts), bySocket: false);
            }
        }

        await SettleAsync(host, connections: 0);
        Assert.Empty(host.Log.Unexpected);
    }

    private static async Task RunAsync(FuzzHost host, int seed, int first, int end)
    {
        var next = first - 1;
        ConcurrentQueue<Exception> failures = new();
        await Task.WhenAll(Enumerable.Range(0, Workers).Select(_ => Task.Run(async () =>
        {
            for (int number; (number = Interlocked.Increment(ref next)) < end;)
            {
                try
                {
                    await RunAsync(host, seed, number);
                }
                catch (Exception exception)
                {
                    failures.Enqueue(exception);
                    if (failures.Count >= MostFailures)
                    {
                        return;
                    }
                }
            }
        })));
        Assert.True(failures.IsEmpty, string.Join("\n\n", failures.Select(static failure => failure.Message)));
    }

    private static async Task RunAsync(FuzzHost host, int seed, int number)
    {
        var input = FuzzGenerator.Make(seed, number);
        try
        {
            await FuzzRun.RunAsync(host, input, bySocket: number % SocketEvery == 0);
        }
        catch (Exception exception)
        {
            throw new InvalidOperationException($"ORLEANSMQTT_SEED={seed} ORLEANSMQTT_FUZZ_INPUT={number} fails: {exception.Message}\n{input}", exception);
        }
    }

    /// <summary>All connections but the witness's end, and give back what they took.</summary>
    private static async Task SettleAsync(FuzzHost host, int connections = 1)
    {
        using CancellationTokenSource timeout = new(TimeSpan.FromSeconds(30));
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(10));
        var context = host.Context;
        while (context.Connections.All.Count() > connections || host.Grains.Sessions > connections || context.Credits.Available < context.Options.TotalPublishBytes - (64 * 1024))
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

    private static int Setting(string name, int otherwise)
        => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? int.Parse(value, CultureInfo.InvariantCulture) : otherwise;
}
