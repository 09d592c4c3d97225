namespace OrleansMqtt.Conformance.Tests.Sessions;

/// <summary>What the server sends again when a client comes back to its session.</summary>
public sealed class RedeliveryTests(ConformanceServer server) : ConformanceTests(server)
{
    [Theory, InlineData(V311, 1), InlineData(V311, 2), InlineData(V5, 1), InlineData(V5, 2)]
    [Statement(V311, "MQTT-4.4.0-1", "MQTT-3.3.1-1", "MQTT-2.3.1-3", "MQTT-2.3.1-4", "MQTT-4.6.0-1", "MQTT-4.6.0-6")]
    [Statement(V5, "MQTT-4.4.0-1", "MQTT-3.3.1-1", "MQTT-4.6.0-1", "MQTT-4.6.0-5", "MQTT-4.3.2-3", "MQTT-4.3.3-3")]
    public async Task Unacknowledged_messages_come_again_as_duplicates_with_their_packet_identifiers_in_order(MqttVersion version, int qoS)
    {
        var (connect, topic) = (Connect.Durable(version, NewClientId()), NewTopic());
        var before = await SubscribeAsync(connect, topic, qoS);
        await PublishAsync(topic, qoS, "1", "2", "3", "4", "5");
        var first = await before.ReceiveMessagesAsync(5);
        Assert.All(first, message => Assert.False(message.IsDuplicate));
        await before.AcknowledgeAsync(first[0]);
        await before.PingAsync();
        before.Drop();

        // Twice, because a repetition is not acknowledged either.
        for (var i = 0; i < 2; i++)
        {
            var after = await ConnectAsync(connect);
            var again = await after.ReceiveMessagesAsync(4);
            Assert.Equal(first.Skip(1).Select(message => (message.PacketId, message.Payload, qoS, true)), again.Select(message => (message.PacketId, message.Payload, message.QoS, message.IsDuplicate)));
            await ExpectNextAsync(after, topic);
            after.Drop();
        }

        var last = await ConnectAsync(connect);
        foreach (var message in await last.ReceiveMessagesAsync(4))
        {
            await last.AcknowledgeAsync(message);
        }

        await last.DisconnectAsync();
        await ExpectNextAsync(await ConnectAsync(connect), topic);
    }

    [Theory, InlineData(V311, 1), InlineData(V311, 2), InlineData(V5, 1), InlineData(V5, 2)]
    [Statement(V311, "MQTT-4.4.0-1")]
    [Statement(V5, "MQTT-4.4.0-1")]
    public async Task A_retained_message_comes_again_although_another_has_replaced_it(MqttVersion version, int qoS)
    {
        var (connect, topic) = (Connect.Durable(version, NewClientId()), NewTopic());
        await PublishAsync(new Publish(topic, "first") { QoS = qoS, IsRetained = true });
        var before = await SubscribeAsync(connect, topic, qoS);
        var first = Assert.Single(await before.ReceiveMessagesAsync(1));
        await before.DisconnectAsync();
        await PublishAsync(new Publish(topic, "second") { QoS = qoS, IsRetained = true });

        var messages = await (await ConnectAsync(connect)).ReceiveMessagesAsync(2);
        Assert.Equal([("first", true, true), ("second", false, false)], messages.Select(message => (message.Payload, message.IsDuplicate, message.IsRetained)));
        Assert.Equal((first.PacketId, qoS), (messages[0].PacketId, messages[0].QoS));
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-4.6.0-1")]
    [Statement(V5, "MQTT-4.4.0-1", "MQTT-4.6.0-1")]
    public async Task Messages_of_QoS_1_and_2_keep_their_order_among_each_other(MqttVersion version)
    {
        var (connect, topic) = (Connect.Durable(version, NewClientId()), NewTopic());
        var before = await SubscribeAsync(connect, topic, 2);
        foreach (var (qoS, payload) in new[] { (1, "1"), (2, "2"), (2, "3"), (1, "4"), (2, "5"), (1, "6") })
        {
            await PublishAsync(topic, qoS, payload);
        }

        var first = await before.ReceiveMessagesAsync(6);
        before.Drop();
        var again = await (await ConnectAsync(connect)).ReceiveMessagesAsync(6);
        Assert.Equal(first.Select(message => (message.PacketId, message.QoS, message.Payload)), again.Select(message => (message.PacketId, message.QoS, message.Payload)));
        Assert.All(again, message => Assert.True(message.IsDuplicate));
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-4.4.0-1", "MQTT-4.6.0-6")]
    [Statement(V5, "MQTT-4.4.0-1", "MQTT-4.6.0-5", "MQTT-2.2.1-4")]
    public async Task Repetitions_come_before_what_arrived_meanwhile_and_only_they_are_duplicates(MqttVersion version)
    {
        var (connect, topic) = (Connect.Durable(version, NewClientId()), NewTopic());
        var before = await SubscribeAsync(connect, topic, 1);
        await PublishAsync(topic, 1, "1", "2");
        await before.ReceiveMessagesAsync(2);
        await before.DisconnectAsync();
        await PublishAsync(topic, 1, "3", "4");

        var messages = await (await ConnectAsync(connect)).ReceiveMessagesAsync(4);
        Assert.Equal([("1", true), ("2", true), ("3", false), ("4", false)], messages.Select(message => (message.Payload, message.IsDuplicate)));
        Assert.Equal(4, messages.Select(message => message.PacketId).Distinct().Count());
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-4.4.0-1", "MQTT-4.3.3-1")]
    [Statement(V5, "MQTT-4.4.0-1", "MQTT-4.3.3-5", "MQTT-4.3.3-6")]
    public async Task After_PUBREC_the_PUBREL_comes_again_and_not_the_message(MqttVersion version)
    {
        var (connect, topic) = (Connect.Durable(version, NewClientId()), NewTopic());
        var client = await SubscribeAsync(connect, topic, 2);
        await PublishAsync(topic, 2, "1", "2", "3");
        var first = await client.ReceiveMessagesAsync(3);
        foreach (var message in first)
        {
            await client.SendAsync(new PubRec(message.PacketId).Encode());
            Assert.Equal(message.PacketId, (await client.ReceiveAsync<PubRel>()).PacketId);
        }

        for (var i = 0; i < 2; i++)
        {
            client.Drop();
            client = await ConnectAsync(connect);
            foreach (var message in first)
            {
                Assert.Equal(message.PacketId, (await client.ReceiveAsync<PubRel>()).PacketId);
            }

            await ExpectNextAsync(client, topic);
        }

        await client.SendAsync([.. first.Select(message => new PubComp(message.PacketId).Encode())]);
        await client.DisconnectAsync();
        await ExpectNextAsync(await ConnectAsync(connect), topic);
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-4.4.0-1", "MQTT-4.3.3-1")]
    [Statement(V5, "MQTT-4.4.0-1", "MQTT-4.3.3-4", "MQTT-4.3.3-11")]
    public async Task A_repeated_exchange_is_completed_on_the_new_connection(MqttVersion version)
    {
        var (connect, topic) = (Connect.Durable(version, NewClientId()), NewTopic());
        var before = await SubscribeAsync(connect, topic, 2);
        await PublishAsync(topic, 1, "1");
        await PublishAsync(topic, 2, "2");
        await before.ReceiveMessagesAsync(2);
        before.Drop();

        var after = await ConnectAsync(connect);
        foreach (var message in await after.ReceiveMessagesAsync(2))
        {
            await after.AcknowledgeAsync(message);
        }

        await after.DisconnectAsync();
        var last = await ConnectAsync(connect);
        Assert.True(last.ConnAck.IsSessionPresent);
        await ExpectNextAsync(last, topic);
    }

    [Theory, InlineData(V311, 1), InlineData(V311, 2), InlineData(V5, 1), InlineData(V5, 2)]
    [Statement(V311, "MQTT-4.4.0-1")]
    [Statement(V5, "MQTT-4.4.0-1")]
    public async Task What_a_client_acknowledges_right_before_it_takes_its_session_over_does_not_come_again(MqttVersion version, int qoS)
    {
        var (connect, topic) = (Connect.Durable(version, NewClientId()), NewTopic());
        var client = await SubscribeAsync(connect, topic, qoS);
        for (var i = 0; i < 50; i++)
        {
            await PublishAsync(topic, qoS, $"{i}");
            var message = Assert.Single(await client.ReceiveMessagesAsync(1));
            Assert.Equal($"{i}", message.Payload);
            await client.SendAsync(qoS == 1 ? new PubAck(message.PacketId).Encode() : new PubRec(message.PacketId).Encode());
            client = await ConnectAsync(connect);
            if (qoS == 2)
            {
                await client.SendAsync(new PubComp((await client.ReceiveAsync<PubRel>()).PacketId).Encode());
            }
        }
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-3.1.2-6")]
    [Statement(V5, "MQTT-3.1.2-4", "MQTT-4.4.0-1")]
    public async Task After_a_clean_start_nothing_comes_again(MqttVersion version)
    {
        var (connect, topic) = (Connect.Durable(version, NewClientId()), NewTopic());
        var before = await SubscribeAsync(connect, topic, 2);
        await PublishAsync(topic, 2, "1", "2");
        var messages = await before.ReceiveMessagesAsync(2);
        await before.SendAsync(new PubRec(messages[0].PacketId).Encode());
        await before.ReceiveAsync<PubRel>();
        before.Drop();
        await ExpectNextAsync(await SubscribeAsync(connect with { IsCleanStart = true }, topic, 2), topic);
    }

    [Fact]
    [Statement(V5, "MQTT-4.4.0-1")]
    public async Task On_one_connection_nothing_is_sent_twice()
    {
        var topic = NewTopic();
        var client = await SubscribeAsync(V5, topic, 2);
        await PublishAsync(topic, 1, "1");
        await PublishAsync(topic, 2, "2", "3");
        var messages = await client.ReceiveMessagesAsync(3);
        await client.SendAsync(new PubRec(messages[1].PacketId).Encode());
        await client.ReceiveAsync<PubRel>();
        await PassThreeSecondsAsync();
        await ExpectNextAsync(client, topic);
    }

    [Theory, InlineData(0x80), InlineData(0x83), InlineData(0x97)]
    [Statement(V5, "MQTT-4.4.0-2")]
    public async Task A_message_that_the_client_refused_with_PUBACK_does_not_come_again(byte code)
    {
        var (connect, topic) = (Connect.Durable(V5, NewClientId()), NewTopic());
        var before = await SubscribeAsync(connect, topic, 1);
        await PublishAsync(topic, 1, "refused", "unacknowledged");
        var messages = await before.ReceiveMessagesAsync(2);
        await before.SendAsync(new PubAck(messages[0].PacketId, code).Encode());
        await before.PingAsync();
        before.Drop();

        var after = await ConnectAsync(connect);
        Assert.Equal("unacknowledged", await after.ReceiveTextAsync());
        await ExpectNextAsync(after, topic);
    }

    [Theory, InlineData(V311, 1), InlineData(V311, 2), InlineData(V5, 1), InlineData(V5, 2)]
    [Statement(V311, "MQTT-3.3.1-3")]
    [Statement(V5, "MQTT-3.3.1-3")]
    public async Task The_mark_of_a_duplicate_is_not_passed_on_to_subscribers(MqttVersion version, int qoS)
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(version, topic, qoS);
        var publisher = await ConnectAsync(version);
        await publisher.PublishAsync(new Publish(topic, "message") { QoS = qoS, IsDuplicate = true });
        var message = await subscriber.ReceiveAsync<Publish>();
        Assert.Equal(("message", false), (message.Payload, message.IsDuplicate));
    }
}
