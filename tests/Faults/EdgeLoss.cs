using System.Diagnostics;
using System.Text;
using OrleansMqtt.LoadGenerator;
using OrleansMqtt.LoadGenerator.Engine;

namespace OrleansMqtt.Faults;

/// <summary>Many idle connections on two edges, of which one is killed: how long it takes until all its clients are back at the other, and what a connection costs there.</summary>
internal static class EdgeLoss
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    /// <returns>Whether all came back in time.</returns>
    public static async Task<bool> RunAsync(int connections, TimeSpan allowed, Action<string> print)
    {
        await using var cluster = await TestCluster.StartAsync(silos: 2, edges: 2, siloRoles: "silo", hasOwnKafka: true);
        var (lost, other) = (cluster.Running("edge")[0], cluster.Running("edge")[1]);
        LoadSettings settings = new()
        {
            Scenario = Scenario.Connections,
            Ports = [lost.Port, other.Port],
            Reconnects = true,
            Idle = connections,
            Duration = 2 * Limit.TotalSeconds,
            ConnectTimeout = Limit.TotalSeconds,
            ClientPrefix = $"{Guid.NewGuid():N}",
            SourceAddresses = 1 + (connections / 20_000),
        };
        using CancellationTokenSource stopping = new();
        Progress progress = new(print);
        var empty = other.Process.ResidentBytes;
        using LoadRun run = new(settings, password: null, [], progress, stopping.Token);
        var running = run.RunAsync();
        await Task.WhenAny(running, progress.WaitForAsync("measure ")).Unwrap().WaitAsync(Limit);
        var half = other.Process.ResidentBytes;
        print($"{connections} connections, {(half - empty) / (connections / 2)} bytes each");

        var killed = Stopwatch.GetTimestamp();
        await lost.KillAsync();
        await Task.WhenAny(running, progress.WaitForAsync(" lost connections are back")).Unwrap().WaitAsync(Limit);
        var took = Stopwatch.GetElapsedTime(killed);
        var all = other.Process.ResidentBytes;
        print($"all are back {took.TotalSeconds:F1} s after the kill (allowed {allowed.TotalSeconds:F0} s), {(all - empty) / connections} bytes each, {all >> 20} MiB in all");
        await stopping.CancelAsync();
        await running;
        return took < allowed;
    }

    /// <summary>The lines of a run, as events.</summary>
    private sealed class Progress(Action<string> print) : TextWriter
    {
        private readonly Lock _lock = new();
        private string _text = "";
        private TaskCompletionSource? _found;

        public override Encoding Encoding => Encoding.UTF8;

        public override void WriteLine(string? value)
        {
            lock (_lock)
            {
                if (value?.Contains("connections", StringComparison.Ordinal) == true)
                {
                    print($"  {value}");
                }

                if (_found is not null && value?.Contains(_text, StringComparison.Ordinal) == true)
                {
                    _found.TrySetResult();
                }
            }
        }

        public Task WaitForAsync(string text)
        {
            lock (_lock)
            {
                (_text, _found) = (text, new(TaskCreationOptions.RunContinuationsAsynchronously));
                return _found.Task;
            }
        }
    }
}
