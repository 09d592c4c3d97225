using OrleansMqtt.Silo.Tests;

namespace OrleansMqtt.Cluster.Tests;

/// <summary>The database of the cluster is away.</summary>
public sealed class DatabaseAwayTests
{
    [Fact]
    public async Task A_start_waits_for_the_database_and_says_so_in_health()
    {
        await using var cluster = await TestCluster.StartAsync(silos: 0, edges: 0);
        await cluster.PostgreSql.StopAsync();
        var http = TestPorts.Free();
        Dictionary<string, string> settings = new(cluster.Settings)
        {
            ["Http__Port"] = $"{http}",
            ["Mqtt__Listeners__0__Address"] = "127.0.0.1",
            ["Mqtt__Listeners__0__Port"] = "0",
        };
        await using var server = ChildProcess.Start("dotnet", [Path.Combine(AppContext.BaseDirectory, "OrleansMqtt.Silo.dll")], settings);
        await server.WaitForLineAsync("The start waits for the PostgreSql database of the cluster", TestClient.Limit);
        Assert.Contains("503 Unhealthy\nThe start waits for the PostgreSql database", await UntilAsync(http, "/health/ready", "503"), StringComparison.Ordinal);
        Assert.StartsWith("200", await UntilAsync(http, "/health/live", "200"), StringComparison.Ordinal);

        await cluster.PostgreSql.StartAgainAsync();
        await server.WaitForLineAsync("Listening for MQTT and", TimeSpan.FromSeconds(60));
        Assert.Equal("200 Healthy", await UntilAsync(http, "/health/ready", "200"));
    }

    [Fact]
    public async Task Running_traffic_goes_on_while_the_database_is_away()
    {
        await using var cluster = await TestCluster.StartAsync(silos: 2, edges: 1);
        var edge = cluster.Processes[2];
        await using var subscriber = await TestClient.ConnectAsync(edge.Port);
        await subscriber.SubscribeAsync("a/#");
        await cluster.PostgreSql.StopAsync();
        await using var publisher = await TestClient.ConnectAsync(cluster.Processes[0].Port);
        for (var i = 0; i < 50; i++)
        {
            Assert.True((await publisher.PublishAsync($"a/{i}", $"{i}")).IsSuccess);
        }

        Assert.Equal(50, (await subscriber.ReceiveAsync(50)).Distinct().Count());
        Assert.StartsWith("200 Degraded\ndatabase: ", await UntilAsync(edge.HttpPort, "/health/ready", "200 Degraded"), StringComparison.Ordinal);
        await cluster.PostgreSql.StartAgainAsync();
        Assert.Equal("200 Healthy", await UntilAsync(edge.HttpPort, "/health/ready", "200 Healthy"));
        await cluster.AddAsync("silo");
        await cluster.WaitForOwnersAsync(3);
    }

    private static async Task<string> UntilAsync(int port, string path, string start)
    {
        using HttpClient client = new();
        using CancellationTokenSource timeout = new(TestClient.Limit);
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(100));
        while (true)
        {
            try
            {
                using var response = await client.GetAsync(new Uri($"http://127.0.0.1:{port}{path}"), timeout.Token);
                var text = $"{(int)response.StatusCode} {await response.Content.ReadAsStringAsync(timeout.Token)}";
                if (text.StartsWith(start, StringComparison.Ordinal))
                {
                    return text;
                }
            }
            catch (HttpRequestException)
            {
                // Between its two servers.
            }

            await timer.WaitForNextTickAsync(timeout.Token);
        }
    }
}
