using OrleansMqtt.TestKit;

[assembly: AssemblyFixture(typeof(OrleansMqtt.Foreign.Tests.ForeignServer))]

namespace OrleansMqtt.Foreign.Tests;

/// <summary>The server that all clients use, on an embedded log of its own.</summary>
public sealed class ForeignServer : IAsyncLifetime
{
    private readonly string _directory = Directory.CreateTempSubdirectory("orleansmqtt-foreign-").FullName;
    private MqttServer _server = null!;

    public int Port => _server.Port;

    public async ValueTask InitializeAsync() => _server = await MqttServer.StartAsync(new()
    {
        ["Log__Kind"] = "Embedded",
        ["Log__Embedded__Directory"] = _directory,
        ["Mqtt__ResponseTopicPrefix"] = "answers/{clientId}/",
    });

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }
}
