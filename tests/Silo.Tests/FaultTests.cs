using System.Collections.Concurrent;
using System.Text;
using OrleansMqtt.TestKit;
using Xunit;

namespace OrleansMqtt.Silo.Tests;

/// <summary>What was acknowledged survives: the server is killed under load.</summary>
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
