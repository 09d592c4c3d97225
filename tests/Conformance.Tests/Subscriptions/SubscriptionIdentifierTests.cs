namespace OrleansMqtt.Conformance.Tests.Subscriptions;

/// <summary>Subscription Identifiers (sections 3.8.2.1.2 and 3.3.2.3.8).</summary>
public sealed class SubscriptionIdentifierTests(ConformanceServer server) : ConformanceTests(server)
{
    private const int NoLocal = 4;

    [Theory, InlineData(1), InlineData(127), InlineData(128), InlineData(16_384), InlineData(2_097_152), InlineData(268_435_455)]
    [Statement(V5, "MQTT-3.3.4-3", "section 3.8.2.1.2")]
    public async Task A_message_carries_the_identifier_of_its_subscription_at_each_QoS(int identifier)
    {
        var topic = NewTopic();
        var client = await ConnectAsync(V5);
        await client.SubscribeAsync(topic, 2, properties: With(identifier));
        for (var qoS = 0; qoS < 3; qoS++)
        {
            await PublishAsync(topic, qoS, "message");
            var message = await client.FindAsync<Publish>();
            Assert.Equal(qoS, message.QoS);
            AssertIdentifiers(message, (uint)identifier);
            await client.AcknowledgeAsync(message);
        }
    }

    [Fact]
    [Statement(V5, "MQTT-3.3.4-3")]
    public async Task A_message_of_a_subscription_without_an_identifier_has_none_whatever_others_have()
    {
        var topic = NewTopic();
        var plain = await SubscribeAsync(V5, topic, 1);
        var other = await ConnectAsync(V5);
        await other.SubscribeAsync(topic, 1, properties: With(5));
        await PublishAsync(topic, 1, "message");
        AssertIdentifiers(await plain.ReceiveAsync<Publish>());
        AssertIdentifiers(await other.ReceiveAsync<Publish>(), 5u);
    }

    [Fact]
    [Statement(V5, "MQTT-3.3.4-2", "MQTT-3.3.4-3", "MQTT-3.3.4-4")]
    public async Task A_message_that_several_subscriptions_match_carries_the_identifiers_of_all_that_have_one()
    {
        var parent = NewTopic();
        var client = await ConnectAsync(V5);
        await client.SubscribeAsync($"{parent}/a", 0, properties: With(1));
        await client.SubscribeAsync($"{parent}/#", 1, properties: With(300));
        await client.SubscribeAsync($"{parent}/+", 2);
        await client.SubscribeAsync($"{parent}/a/b", 1, properties: With(4));

        await PublishAsync($"{parent}/a", 2, "message");
        var message = await client.ReceiveAsync<Publish>();
        Assert.Equal(2, message.QoS);
        AssertIdentifiers(message, 1u, 300u);
        await client.AcknowledgeAsync(message);

        // It was one copy.
        await PublishAsync($"{parent}/a/b", 1, "next");
        message = await client.ReceiveAsync<Publish>();
        Assert.Equal(("next", 1), (message.Payload, message.QoS));
        AssertIdentifiers(message, 4u, 300u);
    }

    [Fact]
    [Statement(V5, "MQTT-3.8.4-3", "MQTT-3.3.4-3")]
    public async Task A_subscription_that_replaces_another_replaces_its_identifier()
    {
        var topic = NewTopic();
        var client = await ConnectAsync(V5);
        foreach (var identifier in new[] { 7, 8, 0, 9 })
        {
            await client.SubscribeAsync(topic, 1, properties: With(identifier));
            await PublishAsync(topic, 1, "message");
            var message = await client.ReceiveAsync<Publish>();
            AssertIdentifiers(message, identifier == 0 ? [] : [(uint)identifier]);
            await client.AcknowledgeAsync(message);
        }
    }

    [Fact]
    [Statement(V5, "MQTT-3.10.4-1", "MQTT-3.3.4-4")]
    public async Task The_identifier_of_a_subscription_that_was_ended_is_not_sent()
    {
        var topic = NewTopic();
        var client = await ConnectAsync(V5);
        await client.SubscribeAsync(topic, 1, properties: With(1));
        await client.SubscribeAsync($"{topic}/#", 1, properties: With(2));
        await client.UnsubscribeAsync(topic);
        await PublishAsync(topic, 1, "message");
        AssertIdentifiers(await client.ReceiveAsync<Publish>(), 2u);
    }

    [Fact]
    [Statement(V5, "MQTT-3.8.3-3", "MQTT-3.3.4-4")]
    public async Task A_subscription_that_leaves_own_messages_out_does_not_add_its_identifier_to_them()
    {
        var topic = NewTopic();
        var client = await ConnectAsync(V5);
        await client.SubscribeAsync(topic, 1, NoLocal, With(1));
        await client.SubscribeAsync($"{topic}/#", 1, properties: With(2));
        await client.PublishAsync(new Publish(topic, "own") { QoS = 1 });
        var own = await client.ReceiveAsync<Publish>();
        AssertIdentifiers(own, 2u);
        await client.AcknowledgeAsync(own);
        await PublishAsync(topic, 1, "other");
        AssertIdentifiers(await client.ReceiveAsync<Publish>(), 1u, 2u);
    }

    [Theory, InlineData(1), InlineData(2)]
    [Statement(V5, "MQTT-3.3.4-3", "MQTT-3.3.4-4", "MQTT-4.4.0-1")]
    public async Task Messages_in_flight_and_messages_that_waited_carry_them_on_the_next_connection(int qoS)
    {
        var (connect, topic) = (Connect.Durable(V5, NewClientId()), NewTopic());
        var before = await ConnectAsync(connect.With(PropertyId.ReceiveMaximum, 1));
        await before.SubscribeAsync(topic, qoS, properties: With(11));
        await before.SubscribeAsync($"{topic}/#", qoS, properties: With(12));
        await PublishAsync(topic, qoS, "in flight", "held back by the window");
        Assert.Equal("in flight", (await before.ReceiveAsync<Publish>()).Payload);
        before.Drop();
        await PublishAsync(topic, qoS, "while away");

        var after = await ConnectAsync(connect);
        foreach (var payload in new[] { "in flight", "held back by the window", "while away" })
        {
            var message = await after.FindAsync<Publish>();
            Assert.Equal((payload, payload == "in flight"), (message.Payload, message.IsDuplicate));
            AssertIdentifiers(message, 11u, 12u);
            await after.AcknowledgeAsync(message);
        }
    }

    [Fact]
    [Statement(V5, "MQTT-3.8.4-3", "MQTT-3.3.4-3", "MQTT-4.4.0-1")]
    public async Task A_message_from_before_a_replacement_carries_the_earlier_identifier()
    {
        var topic = NewTopic();
        var client = await ConnectAsync(new Connect(V5, NewClientId()).With(PropertyId.ReceiveMaximum, 1));
        await client.SubscribeAsync(topic, 1, properties: With(1));
        await PublishAsync(topic, 1, "sent", "waits");
        var sent = await client.ReceiveAsync<Publish>();
        await client.SubscribeAsync(topic, 1, properties: With(2));
        await PublishAsync(topic, 1, "after");
        await client.AcknowledgeAsync(sent);
        var waited = await client.ReceiveAsync<Publish>();
        Assert.Equal("waits", waited.Payload);
        AssertIdentifiers(waited, 1);
        await client.AcknowledgeAsync(waited);
        var after = await client.ReceiveAsync<Publish>();
        Assert.Equal("after", after.Payload);
        AssertIdentifiers(after, 2);
    }

    [Fact]
    [Statement(V5, "MQTT-3.3.4-3", "section 4.1")]
    public async Task They_outlive_the_process_of_the_server()
    {
        ConformanceServer.RequireOwn();
        await using var own = await RestartableServer.StartAsync();
        var connect = Connect.Durable(V5, "subscriber");
        using (var client = await own.ConnectAsync(connect))
        {
            await client.SubscribeAsync("t", 2, properties: With(268_435_455));
            await client.SubscribeAsync("#", 1, properties: With(3));
            await client.DisconnectAsync();
        }

        using (var publisher = await own.ConnectAsync(new Connect(V5, "publisher")))
        {
            await publisher.PublishAsync(new Publish("t", "before") { QoS = 2 });
        }

        await own.KillAndStartAgainAsync();
        using var after = await own.ConnectAsync(connect);
        Assert.True(after.ConnAck.IsSessionPresent);
        await after.PublishAsync(new Publish("t", "after") { QoS = 1 });
        foreach (var payload in new[] { "before", "after" })
        {
            var message = await after.FindAsync<Publish>();
            Assert.Equal(payload, message.Payload);
            AssertIdentifiers(message, 3u, 268_435_455u);
            await after.AcknowledgeAsync(message);
        }
    }

    [Fact]
    [Statement(V5, "section 3.8.2.1.2", "MQTT-4.13.1-1")]
    public async Task Identifier_0_is_a_protocol_error()
    {
        var client = await ConnectAsync(V5);
        await client.SendAsync(new Subscribe(1, NewTopic(), 0) { Properties = new() { { PropertyId.SubscriptionIdentifier, 0 } } }.Encode(V5));
        await client.ExpectCloseAsync(0x82);
    }

    [Fact]
    [Statement(V5, "section 3.8.2.1.2", "MQTT-4.13.1-1")]
    public async Task Two_identifiers_are_a_protocol_error()
    {
        var client = await ConnectAsync(V5);
        PropertyList properties = new() { { PropertyId.SubscriptionIdentifier, 1 }, { PropertyId.SubscriptionIdentifier, 2 } };
        await client.SendAsync(new Subscribe(1, NewTopic(), 0) { Properties = properties }.Encode(V5));
        await client.ExpectCloseAsync(0x82);
    }

    [Fact]
    [Statement(V5, "MQTT-3.3.4-6", "MQTT-4.13.1-1")]
    public async Task A_client_may_not_publish_with_one()
    {
        var client = await ConnectAsync(V5);
        await client.SendAsync(new Publish(NewTopic(), "") { Properties = With(1) }.Encode(V5));
        await client.ExpectCloseAsync(0x82);
    }

    private static PropertyList With(int identifier) => identifier == 0 ? [] : new() { { PropertyId.SubscriptionIdentifier, identifier } };

    /// <summary>Their order is not significant.</summary>
    private static void AssertIdentifiers(Publish message, params uint[] identifiers) =>
        Assert.Equal(identifiers, message.Properties.Numbers(PropertyId.SubscriptionIdentifier).Order());
}
