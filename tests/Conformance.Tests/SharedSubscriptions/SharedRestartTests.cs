namespace OrleansMqtt.Conformance.Tests.SharedSubscriptions;

/// <summary>Shared subscriptions outlive the server's process: it is killed, and another one takes its place.</summary>
public sealed class SharedRestartTests
{
    private const string Filter = "$share/group/topic";
    private static readonly SemaphoreSlim Place = new(1);

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V5, "section 4.8.2", "MQTT-4.5.0-1", "section 4.1")]
    public Task What_waits_for_a_group_and_what_was_not_acknowledged_is_kept(MqttVersion version) => RunAsync(async server =>
    {
        var (first, second) = (Connect.Durable(version, "first"), Connect.Durable(version, "second"));
        using (var client = await server.ConnectAsync(second))
        {
            await client.SubscribeAsync(Filter, 2);
            await client.DisconnectAsync();
        }

        using var before = await server.ConnectAsync(first);
        using var publisher = await server.ConnectAsync(new Connect(version, "publisher"));
        await before.SubscribeAsync(Filter, 2);
        await publisher.PublishAsync(new Publish("topic", "1") { QoS = 1 });
        await publisher.PublishAsync(new Publish("topic", "2") { QoS = 2 });
        var messages = await before.ReceiveMessagesAsync(2);
        await before.DisconnectAsync();
        await publisher.PublishAsync(new Publish("topic", "3") { QoS = 2 });
        await server.KillAndStartAgainAsync();

        // What was sent at QoS 2 is that member's; the rest goes to whoever comes first.
        using var other = await server.ConnectAsync(second);
        Assert.True(other.ConnAck.IsSessionPresent);
        Assert.Equal(["1", "3"], (await other.ReceiveTextsAsync(2)).Order());
        using var after = await server.ConnectAsync(first);
        Assert.True(after.ConnAck.IsSessionPresent);
        var again = await after.ReceiveAsync<Publish>();
        Assert.Equal(("2", messages.Single(message => message.QoS == 2).PacketId, true), (again.Payload, again.PacketId, again.IsDuplicate));
        await after.AcknowledgeAsync(again);
        await after.ExpectNothingAsync();

        // Both are members still.
        using var publisherAfter = await server.ConnectAsync(new Connect(version, "publisher"));
        await publisherAfter.PublishAsync(new Publish("topic", "4") { QoS = 1 });
        await publisherAfter.PublishAsync(new Publish("topic", "5") { QoS = 1 });
        var (one, two) = (await after.ReceiveTextAsync(), await other.ReceiveTextAsync());
        Assert.Equal(["4", "5"], new[] { one, two }.Order());
    });

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V5, "MQTT-4.8.2-4", "MQTT-4.8.2-5", "section 4.1")]
    public Task A_QoS_2_message_that_a_member_had_completed_comes_to_nobody_again(MqttVersion version) => RunAsync(async server =>
    {
        var (first, second) = (Connect.Durable(version, "first"), Connect.Durable(version, "second"));
        using var one = await server.ConnectAsync(first);
        using var two = await server.ConnectAsync(second);
        using var publisher = await server.ConnectAsync(new Connect(version, "publisher"));
        await one.SubscribeAsync(Filter, 2);
        await two.SubscribeAsync(Filter, 2);
        for (var i = 0; i < 6; i++)
        {
            await publisher.PublishAsync(new Publish("topic", $"{i}") { QoS = 2 });
        }

        string[] received = [.. await one.ReceiveTextsAsync(3), .. await two.ReceiveTextsAsync(3)];
        Assert.Equal(["0", "1", "2", "3", "4", "5"], received.Order());
        await server.KillAndStartAgainAsync();

        using var publisherAfter = await server.ConnectAsync(new Connect(version, "publisher"));
        foreach (var (connect, text) in new[] { (second, "next"), (first, "last") })
        {
            using var client = await server.ConnectAsync(connect);
            Assert.True(client.ConnAck.IsSessionPresent);
            await publisherAfter.PublishAsync(new Publish("topic", text) { QoS = 2 });

            // The last step of an exchange may be repeated, but no message.
            var message = await client.FindAsync<Publish>();
            Assert.Equal(text, message.Payload);
            await client.SendAsync(new PubRec(message.PacketId).Encode());
            PubRel release;
            do
            {
                release = await client.FindAsync<PubRel>();
                await client.SendAsync(new PubComp(release.PacketId).Encode());
            }
            while (release.PacketId != message.PacketId);

            await client.ExpectNothingAsync();
            await client.DisconnectAsync();
        }
    });

    private static async Task RunAsync(Func<RestartableServer, Task> test)
    {
        ConformanceServer.RequireOwn();
        await Place.WaitAsync();
        try
        {
            await using var server = await RestartableServer.StartAsync();
            await test(server);
        }
        finally
        {
            Place.Release();
        }
    }
}
