namespace OrleansMqtt.Conformance.Tests.Sessions;

/// <summary>What a session keeps while its client is away.</summary>
public sealed class SessionStateTests(ConformanceServer server) : ConformanceTests(server)
{
    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-3.1.2-4", "MQTT-4.1.0-1")]
    [Statement(V5, "MQTT-3.1.2-5", "MQTT-3.1.2-23", "section 4.1")]
    public async Task Subscriptions_are_kept_with_their_QoS(MqttVersion version)
    {
        var (connect, topic) = (Connect.Durable(version, NewClientId()), NewTopic());
        var before = await ConnectAsync(connect);
        for (var qoS = 0; qoS < 3; qoS++)
        {
            await before.SubscribeAsync($"{topic}/{qoS}", qoS);
        }

        await before.DisconnectAsync();
        var after = await ConnectAsync(connect);
        for (var qoS = 0; qoS < 3; qoS++)
        {
            await PublishAsync($"{topic}/{qoS}", 2, "message");
            var message = await after.ReceiveAsync<Publish>();
            Assert.Equal(($"{topic}/{qoS}", qoS), (message.Topic, message.QoS));
            await after.AcknowledgeAsync(message);
        }
    }

    [Theory, InlineData(V311, 1), InlineData(V311, 2), InlineData(V5, 1), InlineData(V5, 2)]
    [Statement(V311, "MQTT-3.1.2-5", "MQTT-4.5.0-1", "MQTT-4.6.0-6", "MQTT-3.3.1-3")]
    [Statement(V5, "MQTT-3.1.2-23", "MQTT-4.5.0-1", "MQTT-4.6.0-5", "MQTT-3.3.1-3")]
    public async Task Messages_that_arrive_while_the_client_is_away_wait_for_it_in_order(MqttVersion version, int qoS)
    {
        var (connect, topic) = (Connect.Durable(version, NewClientId()), NewTopic());
        await (await SubscribeAsync(connect, topic, qoS)).DisconnectAsync();
        var sent = Enumerable.Range(1, 30).Select(i => $"{i}").ToArray();
        await PublishAsync(topic, qoS, sent);

        var after = await ConnectAsync(connect);
        Assert.True(after.ConnAck.IsSessionPresent);
        foreach (var payload in sent)
        {
            var message = await after.FindAsync<Publish>();
            Assert.Equal((payload, qoS, false), (message.Payload, message.QoS, message.IsDuplicate));
            await after.AcknowledgeAsync(message);
        }

        await after.ExpectNothingAsync();
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-3.1.2-5")]
    [Statement(V5, "MQTT-4.5.0-1")]
    public async Task Messages_are_kept_after_a_lost_connection_too(MqttVersion version)
    {
        var (connect, topic) = (Connect.Durable(version, NewClientId()), NewTopic());
        (await SubscribeAsync(connect, topic, 1)).Drop();
        await PublishAsync(topic, 1, "1", "2", "3");
        Assert.Equal(["1", "2", "3"], await (await ConnectAsync(connect)).ReceiveTextsAsync(3));
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-3.10.4-1", "MQTT-3.10.4-2")]
    [Statement(V5, "MQTT-3.10.4-1", "MQTT-3.10.4-2")]
    public async Task What_was_unsubscribed_stays_unsubscribed(MqttVersion version)
    {
        var (connect, topic) = (Connect.Durable(version, NewClientId()), NewTopic());
        var before = await SubscribeAsync(connect, $"{topic}/a", 1);
        await before.SubscribeAsync($"{topic}/b", 1);
        await before.UnsubscribeAsync($"{topic}/a");
        await before.DisconnectAsync();
        var witness = await SubscribeAsync(V5, $"{topic}/a", 0);
        await PublishAsync($"{topic}/a", 1, "unsubscribed");
        Assert.Equal("unsubscribed", await witness.ReceiveTextAsync());
        await PublishAsync($"{topic}/b", 1, "subscribed");
        var after = await ConnectAsync(connect);
        Assert.Equal("subscribed", await after.ReceiveTextAsync());
        await after.ExpectNothingAsync();
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-3.8.4-3", "MQTT-3.1.2-4")]
    [Statement(V5, "MQTT-3.8.4-3", "MQTT-3.1.2-5")]
    public async Task A_subscription_that_was_replaced_is_kept_as_it_is_now(MqttVersion version)
    {
        var (connect, topic) = (Connect.Durable(version, NewClientId()), NewTopic());
        var before = await SubscribeAsync(connect, topic, 2);
        await before.SubscribeAsync(topic, 1);
        await before.DisconnectAsync();
        await PublishAsync(topic, 2, "while it was away");
        var after = await ConnectAsync(connect);
        await PublishAsync(topic, 2, "since it is back");
        foreach (var payload in new[] { "while it was away", "since it is back" })
        {
            var message = await after.ReceiveAsync<Publish>();
            Assert.Equal((payload, 1), (message.Payload, message.QoS));
            await after.AcknowledgeAsync(message);
        }

        await after.ExpectNothingAsync();
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-3.10.4-3")]
    [Statement(V5, "MQTT-3.10.4-3")]
    public async Task Delivery_that_has_begun_is_completed_after_UNSUBSCRIBE(MqttVersion version)
    {
        var (connect, topic) = (Connect.Durable(version, NewClientId()), NewTopic());
        var before = await SubscribeAsync(connect, topic, 2);
        await PublishAsync(topic, 2, "begun");
        var first = await before.ReceiveAsync<Publish>();
        await before.UnsubscribeAsync(topic);
        await before.DisconnectAsync();

        var after = await ConnectAsync(connect);
        var again = await after.ReceiveAsync<Publish>();
        Assert.Equal((first.PacketId, "begun", true), (again.PacketId, again.Payload, again.IsDuplicate));
        await after.AcknowledgeAsync(again);
        await after.ExpectNothingAsync();
    }

    [Fact]
    [Statement(V5, "MQTT-3.8.3-3", "MQTT-3.1.2-5")]
    public async Task The_option_No_Local_of_a_subscription_is_kept()
    {
        var (connect, topic) = (Connect.Durable(V5, NewClientId()), NewTopic());
        var before = await ConnectAsync(connect);
        await before.SubscribeAsync(topic, 1, otherOptions: 4);
        await before.DisconnectAsync();

        var after = await ConnectAsync(connect);
        await after.PublishAsync(new Publish(topic, "own") { QoS = 1 });
        await PublishAsync(topic, 1, "of another");
        Assert.Equal("of another", await after.ReceiveTextAsync());
    }

    [Fact]
    [Statement(V5, "MQTT-3.3.2-4", "MQTT-3.3.2-15", "MQTT-3.3.2-16", "MQTT-3.3.2-17", "MQTT-3.3.2-18", "MQTT-3.3.2-20")]
    public async Task Messages_that_waited_have_their_properties_unaltered()
    {
        var (connect, topic) = (Connect.Durable(V5, NewClientId()), NewTopic());
        await (await SubscribeAsync(connect, topic, 1)).DisconnectAsync();
        await PublishAsync(new Publish(topic, "message") { QoS = 1, Properties = MessagePropertySample.Create() });
        MessagePropertySample.AssertIn((await (await ConnectAsync(connect)).ReceiveAsync<Publish>()).Properties);
    }

    [Theory, InlineData(V311, true), InlineData(V311, false), InlineData(V5, true), InlineData(V5, false)]
    [Statement(V311, "MQTT-4.1.0-1", "MQTT-4.1.0-2")]
    [Statement(V5, "MQTT-4.1.0-1")]
    public async Task A_session_lasts_while_its_client_is_connected_also_when_nothing_outlives_the_connection(MqttVersion version, bool isClean)
    {
        var topic = NewTopic();
        var client = await ConnectAsync(isClean ? new(version, NewClientId()) : Connect.Durable(version, NewClientId(), expiry: 1));
        await client.SubscribeAsync(topic, 1);
        await PassThreeSecondsAsync();
        await PublishAsync(topic, 1, "still subscribed");
        Assert.Equal("still subscribed", await client.ReceiveTextAsync());
    }
}
