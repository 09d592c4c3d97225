using System.Globalization;
using System.Net;
using OrleansMqtt.TestKit;

namespace OrleansMqtt.Edge.Tests.Fuzzing;

/// <summary>The whole server as a process, on an embedded log of its own.</summary>
internal sealed class FuzzServer : IAsyncDisposable
{
    private static readonly TimeSpan SettleLimit = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _directory;
    private readonly MqttServer _server;

    private FuzzServer(DirectoryInfo directory, MqttServer server) => (_directory, _server) = (directory, server);

    public int Port => _server.Port;

    /// <summary>What the log holds that clients' bytes may not cause: anything but that a client was closed, which its operator is to see.</summary>
    public IEnumerable<string> Unexpected => _server.Process.Lines.Where(IsUnexpected);

    public static async Task<FuzzServer> StartAsync()
    {
        var directory = Directory.CreateTempSubdirectory("orleansmqtt-fuzz-");
        var server = await MqttServer.StartAsync(new()
        {
            ["Log__Kind"] = "Embedded",
            ["Log__Embedded__Directory"] = directory.FullName,
            ["Mqtt__MaximumPacketSize"] = $"{FuzzHost.MaximumPacketSize}",
            ["Mqtt__SysInterval"] = "1",
            // Sessions that outlive their connections go soon.
            ["Sessions__MaximumExpirySeconds"] = "2",
            ["Http__Dashboard"] = "false",
        });
        server.Process.Keeps = IsUnexpected;
        return new(directory, server);
    }

    /// <summary>A connection from one of many addresses.</summary>
    public Task<FuzzChannel> ConnectAsync(int number) =>
        FuzzChannel.ConnectAsync(new IPEndPoint(IPAddress.Loopback, Port), OperatingSystem.IsLinux() ? new IPAddress([127, 1, (byte)(number % 8), (byte)(1 + (number / 8 % 32))]) : null);

    /// <summary>Waits until only so many clients are connected, and their sessions are left.</summary>
    public async Task SettleAsync(int clients)
    {
        using CancellationTokenSource timeout = new(SettleLimit);
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(200));
        while (true)
        {
            var metrics = await _server.GetAsync("/metrics");
            var (connections, sessions) = (Gauge(metrics, "mqtt_connections"), Gauge(metrics, "orleansmqtt_session_active"));
            if (connections == clients && sessions == clients)
            {
                return;
            }

            try
            {
                await timer.WaitForNextTickAsync(timeout.Token);
            }
            catch (OperationCanceledException)
            {
                Assert.Fail($"{connections} connections and {sessions} sessions are left, instead of {clients}.");
            }
        }
    }

    /// <summary>Bytes in memory.</summary>
    public long MeasureMemory() => _server.Process.ResidentBytes;

    /// <summary>Topics that have a retained message, which may take memory.</summary>
    public async Task<long> CountRetainedAsync() => Gauge(await _server.GetAsync("/metrics"), "orleansmqtt_retained_topics");

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _directory.Delete(recursive: true);
    }

    /// <summary>Warnings that are not ours tell of a busy machine too: only their exceptions count.</summary>
    private static bool IsUnexpected(string line)
        => line.Contains(" fail: ", StringComparison.Ordinal) || line.Contains(" crit: ", StringComparison.Ordinal) || line.Contains("Unhandled exception", StringComparison.Ordinal)
            || (line.Contains(" warn: ", StringComparison.Ordinal) && !line.Contains("[4] Closed client '", StringComparison.Ordinal)
                && (line.Contains(" warn: OrleansMqtt.", StringComparison.Ordinal) || line.Contains("Exception:", StringComparison.Ordinal)));

    private static long Gauge(string metrics, string name)
    {
        foreach (var line in metrics.Split('\n'))
        {
            if (line.StartsWith(name, StringComparison.Ordinal) && line[name.Length..] is ['{' or ' ', ..])
            {
                return (long)double.Parse(line.Split(' ')[line.Contains('}', StringComparison.Ordinal) ? ^1 : 1].Trim(), CultureInfo.InvariantCulture);
            }
        }

        return 0;
    }
}
