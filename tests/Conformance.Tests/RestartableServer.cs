using System.Net;
using OrleansMqtt.TestKit;

namespace OrleansMqtt.Conformance.Tests;

/// <summary>Our server on an embedded log in a directory of its own.</summary>
internal sealed class RestartableServer : IAsyncDisposable
{
    private readonly MqttServer _server;
    private readonly string _directory;

    private RestartableServer(MqttServer server, string directory) => (_server, _directory) = (server, directory);

    public EndPoint EndPoint => new IPEndPoint(IPAddress.Loopback, _server.Port);

    public static async Task<RestartableServer> StartAsync(params (string Name, string Value)[] settings)
    {
        var directory = Directory.CreateTempSubdirectory("orleansmqtt-conformance-").FullName;
        Dictionary<string, string> environment = new() { ["Log__Kind"] = "Embedded", ["Log__Embedded__Directory"] = directory };
        foreach (var (name, value) in settings)
        {
            environment[name] = value;
        }

        return new(await MqttServer.StartAsync(environment), directory);
    }

    public async Task<Client> ConnectAsync(Connect connect)
    {
        var client = await Client.OpenAsync(EndPoint, connect.Version);
        await client.ConnectAsync(connect);
        return client;
    }

    /// <summary>The process ends without a chance to write anything, and a new one takes its place.</summary>
    public async Task KillAndStartAgainAsync()
    {
        await _server.Process.DisposeAsync();
        await _server.StartAgainAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }
}
