using MQTTnet.Protocol;
using OrleansMqtt.TestKit;
using Xunit;

namespace OrleansMqtt.Silo.Tests;

/// <summary>A session partition is taken from its owner, by another server or by Kafka itself, and then given back.</summary>
public sealed class LostPartitionTests
{
    [Fact]
    public async Task Connections_of_an_owner_that_lost_its_session_partition_end_and_stored_sessions_go_on()
    {
        using var log = await TestLog.CreateAsync("Kafka");
        log.Settings["Topics__Sessions__Partitions"] = "1";
        await using var server = await MqttServer.StartAsync(log.Settings);
        await using var stored = await TestClient.ConnectAsync(server.Port, "stored", sessionExpiry: 3600);
        await using var clean = await TestClient.ConnectAsync(server.Port, "clean");
        await using var publisher = await TestClient.ConnectAsync(server.Port);
        await stored.SubscribeAsync("a");
        await clean.SubscribeAsync("a", MqttQualityOfServiceLevel.AtMostOnce);
        await publisher.PublishAsync("a", "1");
        Assert.Equal("1", TestClient.TextOf(await stored.ReceiveAsync()));
        Assert.Equal("1", TestClient.TextOf(await clean.ReceiveAsync()));

        await log.FenceAsync(0);
        await publisher.PublishAsync("a", "2");
        await Task.WhenAll(stored.Disconnected, clean.Disconnected, publisher.Disconnected).WaitAsync(TestClient.Limit);

        await using var again = await TestClient.ConnectAsync(server.Port, "stored", sessionExpiry: 3600);
        Assert.True(again.IsSessionPresent);
        await using var other = await TestClient.ConnectAsync(server.Port);
        await other.PublishAsync("a", "3");
        while (TestClient.TextOf(await again.ReceiveAsync()) != "3")
        {
            // What was not stored as acknowledged comes again first.
        }
    }
}
