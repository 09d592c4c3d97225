using OrleansMqtt.TestKit;

namespace OrleansMqtt.Sessions.Tests.Servers;

/// <summary>Our server as a process, on topics of its own; crashes are SIGKILL.</summary>
internal sealed class OrleansMqttServer : IServerUnderTest
{
    private readonly MqttServer _server;
    private readonly DirectoryInfo _directory;

    private OrleansMqttServer(MqttServer server, DirectoryInfo directory) => (_server, _directory) = (server, directory);

    public int Port => _server.Port;

    public Deviations Deviations => Deviations.None;

    public IReadOnlyList<string> Output => _server.Process.Lines;

    public static async Task<OrleansMqttServer> StartAsync(Dictionary<string, string> settings)
    {
        var directory = Directory.CreateTempSubdirectory("orleansmqtt-sessions-");
        var prefix = $"t{Guid.NewGuid():N}";
        settings["Log__Embedded__Directory"] = directory.FullName;
        settings["Topics__Messages__Name"] = $"{prefix}-messages";
        settings["Topics__Retained__Name"] = $"{prefix}-retained";
        settings["Topics__Sessions__Name"] = $"{prefix}-sessions";
        return new(await MqttServer.StartAsync(settings), directory);
    }

    public Task CrashAsync() => _server.Process.KillAsync();

    public Task StartAgainAsync() => _server.StartAgainAsync();

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _directory.Delete(recursive: true);
    }
}
