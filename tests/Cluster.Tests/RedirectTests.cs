using MQTTnet;
using MQTTnet.Formatter;
using OrleansMqtt.Silo.Tests;

namespace OrleansMqtt.Cluster.Tests;

/// <summary>Clients are sent to the edge of the process that owns their session, and away from one that stops.</summary>
public sealed class RedirectTests
{
    [Fact]
    public async Task A_client_is_sent_to_its_owner_and_away_from_a_process_that_stops()
    {
        await using var cluster = await TestCluster.StartAsync(silos: 0, edges: 0, configure: settings => settings["Mqtt__Redirect"] = "true");
        var first = await cluster.AddAsync("silo,edge", isAdvertised: true);
        var second = await cluster.AddAsync("silo,edge", isAdvertised: true);
        await cluster.WaitForOwnersAsync(2);
        var moved = 0;
        List<TestClient> clients = [];
        for (var i = 0; i < 20; i++)
        {
            var id = $"client-{i}";
            var result = await ConnectAsync(first.Port, id);
            if (result.ResultCode == MqttClientConnectResultCode.UseAnotherServer)
            {
                moved++;
                Assert.Equal($"127.0.0.1:{second.Port}", result.ServerReference);
                clients.Add(await TestClient.ConnectAsync(second.Port, id, sessionExpiry: 3600));
            }
            else
            {
                Assert.Equal(MqttClientConnectResultCode.Success, result.ResultCode);
            }

            // Older clients know no other server, and are served anywhere.
            await using var older = await TestClient.ConnectAsync(first.Port, $"older-{i}", MqttProtocolVersion.V311);
        }

        Assert.InRange(moved, 1, 19);
        var away = Task.WhenAll(clients.Select(client => client.Disconnected));
        Assert.Equal(0, await second.StopAsync());
        Assert.All(await away.WaitAsync(TestClient.Limit), ended => Assert.Equal("UseAnotherServer", ended.Reason.ToString()));
        await cluster.WaitForOwnersAsync(1);
        foreach (var client in clients)
        {
            await using var again = await TestClient.ConnectAsync(first.Port, client.Client.Options.ClientId, sessionExpiry: 3600);
            Assert.True(again.IsSessionPresent);
            await client.DisposeAsync();
        }
    }

    private static async Task<MqttClientConnectResult> ConnectAsync(int port, string clientId)
    {
        using var client = new MqttClientFactory().CreateMqttClient();
        return await client.ConnectAsync(new MqttClientOptionsBuilder().WithTcpServer("127.0.0.1", port).WithClientId(clientId).WithProtocolVersion(MqttProtocolVersion.V500).Build());
    }
}
