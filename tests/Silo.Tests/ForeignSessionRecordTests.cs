using System.Text;
using OrleansMqtt.Log;
using OrleansMqtt.TestKit;
using Xunit;

namespace OrleansMqtt.Silo.Tests;

/// <summary>Another program has written to the sessions topic.</summary>
public sealed class ForeignSessionRecordTests
{
    [Theory, InlineData("Kafka"), InlineData("Embedded")]
    public async Task Records_that_cannot_be_read_keep_no_other_session_from_its_client(string kind)
    {
        using var log = await TestLog.CreateAsync(kind);
        log.Settings["Topics__Sessions__Partitions"] = "1";
        await using var server = await MqttServer.StartAsync(log.Settings);
        foreach (var clientId in new[] { "whole", "damaged" })
        {
            await using var client = await TestClient.ConnectAsync(server.Port, clientId, sessionExpiry: 3600);
            await client.SubscribeAsync("a");
        }

        await server.DisposeAsync();
        var foreign = "{\"of\":\"another program\"}"u8.ToArray();
        string[] keys = ["damaged", "damaged\0d", "damaged\0m00000000", "damaged\0x", "unknown", "unknown\0d", "\0p", "\0"];
        await log.AppendAsync(log.Settings["Topics__Sessions__Name"], [.. keys.Select(key => new LogRecord { Key = Encoding.UTF8.GetBytes(key), Value = foreign, Headers = [] })]);

        await server.StartAgainAsync();
        await using var publisher = await TestClient.ConnectAsync(server.Port);
        await publisher.PublishAsync("a", "1");
        await using var whole = await TestClient.ConnectAsync(server.Port, "whole", sessionExpiry: 3600);
        Assert.True(whole.IsSessionPresent);
        Assert.Equal("1", TestClient.TextOf(await whole.ReceiveAsync()));
        await using (var damaged = await TestClient.ConnectAsync(server.Port, "damaged", sessionExpiry: 3600))
        {
            Assert.False(damaged.IsSessionPresent);
            await damaged.SubscribeAsync("a");
            await publisher.PublishAsync("a", "2");
            Assert.Equal("2", TestClient.TextOf(await damaged.ReceiveAsync()));
        }

        await server.DisposeAsync();
        await server.StartAgainAsync();
        await using var again = await TestClient.ConnectAsync(server.Port, "damaged", sessionExpiry: 3600);
        Assert.True(again.IsSessionPresent);
    }
}
