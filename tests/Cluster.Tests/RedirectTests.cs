using System.Diagnostics;
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

    [Fact]
    public async Task A_client_that_a_stopping_process_sends_away_is_served_at_once_where_it_is_sent()
    {
        await using var cluster = await TestCluster.StartAsync(
            silos: 0, edges: 0, configure: settings => (settings["Mqtt__Redirect"], settings["Mqtt__DrainRate"], settings["Mqtt__ShutdownTimeout"]) = ("true", "10", "00:00:30"));
        var staying = await cluster.AddAsync("silo,edge", isAdvertised: true);
        var stopping = await cluster.AddAsync("silo,edge", isAdvertised: true);
        await cluster.WaitForOwnersAsync(2);
        List<TestClient> clients = [];
        for (var i = 0; clients.Count < 40; i++)
        {
            if ((await ConnectAsync(stopping.Port, $"client-{i}")).ResultCode == MqttClientConnectResultCode.Success)
            {
                clients.Add(await TestClient.ConnectAsync(stopping.Port, $"client-{i}", sessionExpiry: 3600));
            }
        }

        // The sessions of all of them were owned by the process that stops.
        var moved = clients.Select(async client =>
        {
            var ended = await client.Disconnected;
            Assert.Equal("UseAnotherServer", ended.Reason.ToString());
            var begun = Stopwatch.GetTimestamp();
            var again = await TestClient.ConnectAsync(staying.Port, client.Client.Options.ClientId, sessionExpiry: 3600);
            Assert.True(Stopwatch.GetElapsedTime(begun) < TimeSpan.FromSeconds(5));
            return again;
        });
        var all = Task.WhenAll(moved);
        var start = Stopwatch.GetTimestamp();
        Assert.Equal(0, await stopping.StopAsync());
        Assert.All(await all.WaitAsync(TestClient.Limit), static again => Assert.True(again.IsSessionPresent));

        // Ten a second.
        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalSeconds, 3.5, 25);
        await Task.WhenAll(clients.Concat(await all).Select(static client => client.DisposeAsync().AsTask()));
    }

    [Fact]
    public async Task Two_edges_with_too_many_connections_do_not_send_clients_to_each_other()
    {
        const int Limit = 5;
        await using var cluster = await TestCluster.StartAsync(silos: 0, edges: 0, configure: settings => settings["Mqtt__ShedConnectionsAbove"] = $"{Limit}");
        var first = await cluster.AddAsync("silo,edge", isAdvertised: true);
        var second = await cluster.AddAsync("silo,edge", isAdvertised: true);
        await cluster.WaitForOwnersAsync(2);
        var atFirst = await FillAsync(first);
        var moved = await ConnectAsync(first.Port, "moved");
        Assert.Equal((MqttClientConnectResultCode.ServerMoved, $"127.0.0.1:{second.Port}"), (moved.ResultCode, moved.ServerReference));

        var atSecond = await FillAsync(second);
        await UntilAsync(first, MqttClientConnectResultCode.QuotaExceeded);
        await UntilAsync(second, MqttClientConnectResultCode.QuotaExceeded);

        await atSecond[0].DisposeAsync();
        await UntilAsync(first, MqttClientConnectResultCode.ServerMoved);
        await Task.WhenAll(atFirst.Concat(atSecond[1..]).Select(static client => client.DisposeAsync().AsTask()));

        static async Task<TestClient[]> FillAsync(ServerProcess process)
        {
            var clients = await Task.WhenAll(Enumerable.Range(0, Limit).Select(_ => TestClient.ConnectAsync(process.Port)));
            return clients;
        }

        // The other edge hears of it some milliseconds later.
        static async Task UntilAsync(ServerProcess process, MqttClientConnectResultCode code)
        {
            using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(20));
            for (var start = Stopwatch.GetTimestamp(); ; await timer.WaitForNextTickAsync())
            {
                var result = await ConnectAsync(process.Port, "one-more");
                if (result.ResultCode == code)
                {
                    return;
                }

                Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(5), $"{result.ResultCode} instead of {code}");
            }
        }
    }

    [Fact]
    public async Task A_process_that_moves_its_clients_away_is_not_ready()
    {
        await using var cluster = await TestCluster.StartAsync(silos: 0, edges: 0, configure: settings => settings["Mqtt__DrainRate"] = "1");
        var first = await cluster.AddAsync("silo,edge", isAdvertised: true);
        await cluster.AddAsync("silo,edge", isAdvertised: true);
        await cluster.WaitForOwnersAsync(2);
        var clients = await Task.WhenAll(Enumerable.Range(0, 60).Select(_ => TestClient.ConnectAsync(first.Port)));
        Assert.StartsWith("200", await first.GetAsync("/health/ready"), StringComparison.Ordinal);

        var stopped = first.StopAsync();
        await Task.WhenAny(clients.Select(client => client.Disconnected)).WaitAsync(TestClient.Limit);
        var answer = await first.GetAsync("/health/ready");

        Assert.StartsWith("503", answer, StringComparison.Ordinal);
        Assert.Contains("The process stops.", answer, StringComparison.Ordinal);
        Assert.Equal(0, await stopped);
        await Task.WhenAll(clients.Select(client => client.Disconnected)).WaitAsync(TestClient.Limit);
        foreach (var client in clients)
        {
            await client.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_message_between_two_clients_of_one_owner_crosses_no_process_where_the_topic_is_its_too()
    {
        const int Messages = 200;
        await using var cluster = await TestCluster.StartAsync(silos: 0, edges: 0, configure: settings => settings["Mqtt__Redirect"] = "true");
        var first = await cluster.AddAsync("silo,edge", isAdvertised: true);
        var second = await cluster.AddAsync("silo,edge", isAdvertised: true);
        await cluster.WaitForOwnersAsync(2);
        await using var publisher = await ConnectToOwnerAsync(first.Port, "publisher");
        await using var subscriber = await ConnectToOwnerAsync(first.Port, "subscriber");
        await subscriber.SubscribeAsync("t/#");
        var views = await Task.WhenAll(first.GetClusterAsync(), second.GetClusterAsync());
        var ownsSome = Array.ConvertAll(views, view => view.PartitionGrains.Any(grain => grain.StartsWith("router/", StringComparison.Ordinal)));
        List<double> bytes = [];
        for (var topic = 0; topic < 100 && !HasBoth(); topic++)
        {
            // The first one finds grains; each of the others goes by itself.
            await SendAsync(topic, 1);
            var before = await SentBytesAsync();
            await SendAsync(topic, Messages);
            bytes.Add((await SentBytesAsync() - before) / Messages);
        }

        // Beside them the silos speak of other things, so it is not zero. A call to the other process takes hundreds of bytes.
        TestContext.Current.TestOutputHelper!.WriteLine($"bytes of headers between the processes for each message, by topic: {string.Join(", ", bytes.Select(each => $"{each:F0}"))}");
        Assert.All(bytes, each => Assert.True(IsOwn(each) || IsOther(each), $"{each}"));
        Assert.True(HasBoth());

        bool HasBoth() => (!ownsSome[0] || bytes.Exists(IsOwn)) && (!ownsSome[1] || bytes.Exists(IsOther));

        static bool IsOwn(double bytes) => bytes < 100;
        static bool IsOther(double bytes) => bytes > 200;

        async Task SendAsync(int topic, int count)
        {
            for (var i = 0; i < count; i++)
            {
                await publisher.PublishAsync($"t/{topic}", $"{i}");
                await subscriber.ReceiveAsync();
            }
        }

        async Task<double> SentBytesAsync() => (await Task.WhenAll(new[] { first, second }.Select(async process => (await process.GetAsync("/metrics")).Split('\n')
            .Where(line => line.StartsWith("orleans_messaging_sent_header_size_bytes_total", StringComparison.Ordinal))
            .Sum(line => double.Parse(line.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture))))).Sum();
    }

    private static async Task<TestClient> ConnectToOwnerAsync(int port, string name)
    {
        for (var i = 0; ; i++)
        {
            if ((await ConnectAsync(port, $"{name}-{i}")).ResultCode == MqttClientConnectResultCode.Success)
            {
                return await TestClient.ConnectAsync(port, $"{name}-{i}");
            }
        }
    }

    private static async Task<MqttClientConnectResult> ConnectAsync(int port, string clientId)
    {
        using var client = new MqttClientFactory().CreateMqttClient();
        return await client.ConnectAsync(new MqttClientOptionsBuilder().WithTcpServer("127.0.0.1", port).WithClientId(clientId).WithProtocolVersion(MqttProtocolVersion.V500).Build());
    }
}
