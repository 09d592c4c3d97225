using System.Net;
using System.Net.Sockets;
using OrleansMqtt.TestKit;
using Xunit;

namespace OrleansMqtt.Sessions.Tests.Servers;

/// <summary>mosquitto with its persistence, which it writes when it is stopped in an orderly way: that is its crash here.</summary>
internal sealed class MosquittoServer : IServerUnderTest
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("orleansmqtt-mosquitto-");
    private readonly bool _isKilled;
    private ChildProcess? _process;

    private MosquittoServer(bool isKilled) => _isKilled = isKilled;

    public int Port { get; private set; }

    public Deviations Deviations => Deviations.OrderOfEachQoS | Deviations.TakesOverWithPubComp | Deviations.ReceiveMaximum | Deviations.ForgetsInCrash | Deviations.OverlappingQoS0
        | Deviations.NoWillsAfterCrash;

    public IReadOnlyList<string> Output => _process!.Lines;

    /// <param name="isKilled">A crash is SIGKILL all the same, and loses what was acknowledged.</param>
    /// <param name="queued">Messages that wait for a client at most; 0: any number.</param>
    public static async Task<MosquittoServer> StartAsync(bool isKilled = false, int queued = 0)
    {
        MosquittoServer server = new(isKilled) { Port = TestPorts.Free() };
        await File.WriteAllLinesAsync(server.ConfigurationFile,
        [
            $"listener {server.Port} 127.0.0.1",
            "allow_anonymous true",
            "user root",
            "persistence true",
            $"persistence_location {server._directory.FullName}/",
            "max_inflight_messages 0",
            $"max_queued_messages {queued}",
        ]);
        await server.StartAgainAsync();
        return server;
    }

    public async Task CrashAsync()
    {
        if (_isKilled)
        {
            await _process!.KillAsync();
            return;
        }

        _process!.Signal("TERM");
        await _process.WaitForExitAsync(Limit);
    }

    public async Task StartAgainAsync()
    {
        var program = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Append("/usr/sbin").Select(directory => Path.Combine(directory, "mosquitto")).FirstOrDefault(File.Exists);
        Assert.SkipUnless(program is not null || Environment.GetEnvironmentVariable("CI") == "true", "mosquitto is not installed.");
        Assert.NotNull(program);
        _process = ChildProcess.Start(program, ["-c", ConfigurationFile]);
        await _process.WaitForLineAsync("running", Limit);
        using TcpClient probe = new();
        await probe.ConnectAsync(IPAddress.Loopback, Port);
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        _directory.Delete(recursive: true);
    }

    private string ConfigurationFile => Path.Combine(_directory.FullName, "mosquitto.conf");
}
