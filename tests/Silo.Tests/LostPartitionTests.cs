using MQTTnet;
using MQTTnet.Protocol;
using OrleansMqtt.TestKit;
using Xunit;

namespace OrleansMqtt.Silo.Tests;

/// <summary>A session partition is taken from its owner, as by another server, and given back, while clients are connected: they do not notice.</summary>
public sealed class LostPartitionTests
{
    private const int Messages = 3000;
    private const int Losses = 4;

    [Fact]
    public async Task Connections_go_on_with_the_next_owner_of_their_session_partition_and_get_everything_once_and_in_order()
    {
        using var log = await TestLog.CreateAsync("Kafka");
        log.Settings["Topics__Sessions__Partitions"] = "1";
        await using var server = await MqttServer.StartAsync(log.Settings);
        List<(TestClient Client, string Name)> subscribers = [];
        foreach (var (name, qos) in new (string, MqttQualityOfServiceLevel)[] { ("at least once", MqttQualityOfServiceLevel.AtLeastOnce), ("exactly once", MqttQualityOfServiceLevel.ExactlyOnce) })
        {
            foreach (var expiry in new uint[] { 0, 3600 })
            {
                var client = await TestClient.ConnectAsync(server.Port, $"{name}, {expiry}", sessionExpiry: expiry);
                await client.SubscribeAsync("site/+/a", qos);
                subscribers.Add((client, $"{name}, {expiry}"));
            }
        }

        await using var publisher = await TestClient.ConnectAsync(server.Port);
        var publishing = Task.Run(async () =>
        {
            for (var i = 0; i < Messages; i++)
            {
                await publisher.PublishAsync($"site/{i % 3}/a", $"{i}", (i % 2) switch { 0 => MqttQualityOfServiceLevel.AtLeastOnce, _ => MqttQualityOfServiceLevel.ExactlyOnce });
            }
        });
        var received = subscribers.ConvertAll(each => each.Client.ReceiveAsync(Messages));
        for (var loss = 1; loss <= Losses; loss++)
        {
            await log.FenceAsync(0);
            await server.Process.WaitForLineAsync("living connections", loss, TestClient.Limit);
        }

        await publishing;
        foreach (var (task, (client, name)) in received.Zip(subscribers))
        {
            // In order for each topic.
            var numbers = (await task).ConvertAll(int.Parse);
            for (var topic = 0; topic < 3; topic++)
            {
                Assert.Equal(Enumerable.Range(0, Messages).Where(i => i % 3 == topic), numbers.Where(i => i % 3 == topic));
            }

            Assert.False(client.Disconnected.IsCompleted, name);
            Assert.False(client.HasReceived, name);
        }

        foreach (var (client, _) in subscribers)
        {
            await client.DisposeAsync();
        }
    }

    [Theory]
    [InlineData("$share/g/a/+", true)]
    [InlineData("a/+", false)]
    public async Task A_session_that_does_not_last_any_more_goes_on_with_the_subscriptions_that_it_has_now(string filter, bool isSubscribed)
    {
        using var log = await TestLog.CreateAsync("Kafka");
        log.Settings["Topics__Sessions__Partitions"] = "1";
        await using var server = await MqttServer.StartAsync(log.Settings);
        await using (var lasting = await TestClient.ConnectAsync(server.Port, "client", sessionExpiry: 3600))
        {
            await lasting.SubscribeAsync(filter);
            await lasting.Client.DisconnectAsync(new(), CancellationToken.None);
        }

        await using var client = await TestClient.ConnectAsync(server.Port, "client", cleanStart: false);
        Assert.True(client.IsSessionPresent);
        if (isSubscribed)
        {
            await client.SubscribeAsync(filter);
        }
        else
        {
            await client.Client.UnsubscribeAsync(new MqttClientUnsubscribeOptionsBuilder().WithTopicFilter(filter).Build());
        }

        await client.SubscribeAsync("end");
        await using var other = await TestClient.ConnectAsync(server.Port, "other");
        await log.FenceAsync(0);

        // The owner learns it with the next that it stores.
        await other.PublishAsync("b", "b");
        await server.Process.WaitForLineAsync("living connections", TestClient.Limit);
        await other.PublishAsync("a/1", "a");
        if (isSubscribed)
        {
            Assert.Equal("a", TestClient.TextOf(await client.ReceiveAsync()));
        }

        await other.PublishAsync("end", "end");
        Assert.Equal("end", TestClient.TextOf(await client.ReceiveAsync()));
        Assert.False(client.Disconnected.IsCompleted);
    }
}
