using System.Collections.Concurrent;
using System.Text;
using OrleansMqtt.TestKit;
using Xunit;

namespace OrleansMqtt.Silo.Tests;

/// <summary>What was acknowledged survives: the server is killed, and Kafka goes away, under load.</summary>
public sealed class FaultTests
{
    [Theory]
    [InlineData("Embedded")]
    [InlineData("Kafka")]
    public async Task Each_message_acknowledged_before_a_SIGKILL_is_on_the_log_once(string kind)
    {
        using var log = await TestLog.CreateAsync(kind);
        await using var server = await MqttServer.StartAsync(log.Settings);
        ConcurrentBag<string> acknowledged = [];
        var publishers = await Task.WhenAll(Enumerable.Range(0, 8).Select(async p =>
        {
            var client = await TestClient.ConnectAsync(server.Port);
            return (Client: client, Load: PublishUntilGone(client, p, acknowledged));
        }));

        while (acknowledged.Count < 3_000)
        {
            await Task.WhenAny(publishers.Select(publisher => publisher.Load).Append(Task.Delay(20)));
        }

        await server.Process.KillAsync();
        await Task.WhenAll(publishers.Select(publisher => publisher.Load)).WaitAsync(TestClient.Limit);
        var stored = (await log.ReadAllAsync()).Select(record => Encoding.UTF8.GetString(record.Value!.Value.Span)).ToList();
        Assert.Empty(acknowledged.Except(stored));
        Assert.Equal(stored.Count, stored.Distinct().Count());

        await server.StartAgainAsync();
        await using var after = await TestClient.ConnectAsync(server.Port);
        await after.SubscribeAsync("t");
        await after.PublishAsync("t", "again");
        Assert.Equal("again", TestClient.TextOf(await after.ReceiveAsync()));
        foreach (var publisher in publishers)
        {
            await publisher.Client.DisposeAsync();
        }
    }

    [Fact]
    public async Task While_Kafka_is_stopped_nothing_is_acknowledged_and_afterwards_everything_is_in_order()
    {
        await using var kafka = await KafkaBroker.StartOwnAsync();
        using var log = TestLog.OnKafka(kafka.BootstrapServers);
        await using var server = await MqttServer.StartAsync(log.Settings);
        await using var client = await TestClient.ConnectAsync(server.Port);
        await client.SubscribeAsync("t");
        await client.PublishAsync("t", "0");
        Assert.Equal("0", TestClient.TextOf(await client.ReceiveAsync()));

        await kafka.StopAsync();
        var waiting = Enumerable.Range(1, 50).Select(i => client.PublishAsync("t", $"{i}")).ToList();
        while ((await server.GetAsync("/health/ready")).StartsWith("200", StringComparison.Ordinal))
        {
            await Task.Delay(100);
        }

        Assert.All(waiting, publish => Assert.False(publish.IsCompleted));
        await client.Client.PingAsync(CancellationToken.None);
        await kafka.StartAgainAsync();

        await Task.WhenAll(waiting).WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(Enumerable.Range(1, 50).Select(i => $"{i}"), await client.ReceiveAsync(50));
        Assert.True(client.Client.IsConnected);
    }

    private static async Task PublishUntilGone(TestClient client, int publisher, ConcurrentBag<string> acknowledged)
    {
        try
        {
            for (var i = 0; ; i += 20)
            {
                await Task.WhenAll(Enumerable.Range(i, 20).Select(async sequence =>
                {
                    var id = $"{publisher}-{sequence}";
                    var result = await client.PublishAsync($"load/{publisher}", id);
                    if (result.IsSuccess)
                    {
                        acknowledged.Add(id);
                    }
                }));
            }
        }
        catch (Exception) when (!client.Client.IsConnected)
        {
            // The server was killed.
        }
    }
}
