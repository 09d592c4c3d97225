namespace OrleansMqtt.Conformance.Tests.Delivery;

/// <summary>The Receive Maximum of a client.</summary>
public sealed class ClientReceiveMaximumTests(ConformanceServer server) : ConformanceTests(server)
{
    [Theory, InlineData(1), InlineData(2)]
    [Statement(V5, "MQTT-3.3.4-9", "MQTT-4.9.0-1", "MQTT-4.9.0-2")]
    public async Task No_more_unacknowledged_messages_are_sent_than_it_allows_and_each_acknowledgement_brings_one_more(int qoS)
    {
        var topic = NewTopic();
        var client = await SubscribeAsync(Limited(3), topic, qoS);
        await PublishAndWitnessAsync(topic, qoS, 8);
        var messages = await client.ReceiveMessagesAsync(3);
        await client.ExpectNothingAsync();
        for (var i = 0; i < 8; i++)
        {
            Assert.Equal($"{i}", messages[i].Payload);
            await client.AcknowledgeAsync(messages[i]);
            if (messages.Count < 8)
            {
                messages.Add(await client.ReceiveAsync<Publish>());
            }

            await client.ExpectNothingAsync();
        }
    }

    [Fact]
    [Statement(V5, "section 4.9", "MQTT-3.3.4-9")]
    public async Task Acknowledgements_in_any_order_make_place()
    {
        var topic = NewTopic();
        var client = await SubscribeAsync(Limited(3), topic, 1);
        await PublishAndWitnessAsync(topic, 1, 6);
        var messages = await client.ReceiveMessagesAsync(3);
        foreach (var (acknowledged, next) in new[] { (2, "3"), (1, "4"), (0, "5") })
        {
            await client.AcknowledgeAsync(messages[acknowledged]);
            Assert.Equal(next, (await client.ReceiveAsync<Publish>()).Payload);
            await client.ExpectNothingAsync();
        }
    }

    [Fact]
    [Statement(V5, "MQTT-3.3.4-9", "MQTT-3.3.4-10", "section 4.9")]
    public async Task A_message_of_QoS_2_keeps_its_place_until_PUBCOMP()
    {
        var topic = NewTopic();
        var client = await SubscribeAsync(Limited(1), topic, 2);
        await PublishAndWitnessAsync(topic, 2, 2);
        var first = await client.ReceiveAsync<Publish>();
        await client.SendAsync(new PubRec(first.PacketId).Encode());
        await client.ReceiveAsync<PubRel>();
        await client.ExpectNothingAsync();
        await client.SendAsync(new PubComp(first.PacketId).Encode());
        Assert.Equal("1", (await client.ReceiveAsync<Publish>()).Payload);
    }

    [Theory, InlineData(1), InlineData(2)]
    [Statement(V5, "MQTT-3.3.4-9", "MQTT-4.4.0-2")]
    public async Task A_refused_message_makes_place(int qoS)
    {
        var topic = NewTopic();
        var client = await SubscribeAsync(Limited(1), topic, qoS);
        await PublishAndWitnessAsync(topic, qoS, 3);
        for (var i = 0; i < 3; i++)
        {
            var message = await client.ReceiveAsync<Publish>();
            Assert.Equal($"{i}", message.Payload);
            await client.SendAsync(qoS == 1 ? new PubAck(message.PacketId, 0x80).Encode() : new PubRec(message.PacketId, 0x80).Encode());
        }

        await client.ExpectNothingAsync();
    }

    [Fact]
    [Statement(V5, "MQTT-3.3.4-9")]
    public async Task Messages_of_QoS_1_and_2_share_it()
    {
        var topic = NewTopic();
        var client = await SubscribeAsync(Limited(2), topic, 2);
        var witness = await SubscribeAsync(V5, topic, 0);
        await PublishAsync(topic, 1, "1");
        await PublishAsync(topic, 2, "2");
        await PublishAsync(topic, 1, "3");
        await PublishAsync(topic, 2, "4");
        await witness.ReceiveTextsAsync(4);
        var messages = await client.ReceiveMessagesAsync(2);
        await client.ExpectNothingAsync();
        await client.AcknowledgeAsync(messages[0]);
        Assert.Equal("3", (await client.ReceiveAsync<Publish>()).Payload);
        await client.ExpectNothingAsync();
    }

    [Fact]
    [Statement(V5, "MQTT-3.3.4-10", "MQTT-4.9.0-3")]
    public async Task Other_packets_are_answered_while_the_window_is_full()
    {
        var topic = NewTopic();
        var client = await SubscribeAsync(Limited(1), topic, 1);
        await PublishAndWitnessAsync(topic, 1, 3);
        await client.ReceiveAsync<Publish>();
        await client.PingAsync();
        await client.SendAsync(new Subscribe(21, $"{topic}/other", 1).Encode(V5));
        Assert.Equal(21, (await client.ReceiveAsync<SubAck>()).PacketId);
        await client.SendAsync(new Unsubscribe(22, $"{topic}/other").Encode(V5));
        Assert.Equal(22, (await client.ReceiveAsync<UnsubAck>()).PacketId);
        await client.SendAsync(new Publish($"{topic}/other", "message") { QoS = 1, PacketId = 23 }.Encode(V5));
        Assert.Equal(23, (await client.ReceiveAsync<PubAck>()).PacketId);
        await client.SendAsync(new Publish($"{topic}/other", "message") { QoS = 2, PacketId = 24 }.Encode(V5));
        Assert.Equal(24, (await client.ReceiveAsync<PubRec>()).PacketId);
        await client.SendAsync(new PubRel(24).Encode());
        Assert.Equal(24, (await client.ReceiveAsync<PubComp>()).PacketId);
        await client.ExpectNothingAsync();
    }

    [Theory, InlineData(1), InlineData(2)]
    [Statement(V5, "MQTT-3.3.4-9", "section 4.9")]
    public async Task It_holds_for_messages_that_waited_and_for_repetitions(int qoS)
    {
        var (connect, topic) = (Connect.Durable(V5, NewClientId()), NewTopic());
        var before = await SubscribeAsync(connect, topic, qoS);
        await PublishAsync(topic, qoS, "0", "1", "2");
        await before.ReceiveMessagesAsync(3);
        await before.DisconnectAsync();
        await PublishAndWitnessAsync(topic, qoS, 2, from: 3);

        // It belongs to the connection: this one allows less than the first.
        var after = await ConnectAsync(connect.With(PropertyId.ReceiveMaximum, 2));
        var messages = await after.ReceiveMessagesAsync(2);
        for (var i = 0; i < 5; i++)
        {
            await after.ExpectNothingAsync();
            Assert.Equal(($"{i}", i < 3), (messages[i].Payload, messages[i].IsDuplicate));
            await after.AcknowledgeAsync(messages[i]);
            if (messages.Count < 5)
            {
                messages.Add(await after.ReceiveAsync<Publish>());
            }
        }
    }

    [Fact]
    [Statement(V5, "section 4.9")]
    public async Task PUBCOMP_of_an_exchange_of_an_earlier_connection_does_not_widen_the_window()
    {
        var (connect, topic) = (Connect.Durable(V5, NewClientId()).With(PropertyId.ReceiveMaximum, 1), NewTopic());
        var before = await SubscribeAsync(connect, topic, 2);
        await PublishAndWitnessAsync(topic, 2, 4);
        var first = await before.ReceiveAsync<Publish>();
        await before.SendAsync(new PubRec(first.PacketId).Encode());
        await before.ReceiveAsync<PubRel>();
        await before.DisconnectAsync();

        // Whether the repeated PUBREL takes a place in the new window is the server's choice.
        var after = await ConnectAsync(connect);
        Assert.Equal(first.PacketId, (await after.FindAsync<PubRel>()).PacketId);
        await after.SendAsync(new PubComp(first.PacketId).Encode());
        Assert.Equal("1", (await after.ReceiveAsync<Publish>()).Payload);
        await after.ExpectNothingAsync();
    }

    [Fact]
    [Statement(V5, "section 3.1.2.11.3", "MQTT-3.1.4-1")]
    public Task Zero_is_a_protocol_error() => ExpectRefusedAsync(Limited(0));

    [Fact]
    [Statement(V5, "section 3.1.2.11.3", "MQTT-3.1.4-1")]
    public Task To_send_it_twice_is_a_protocol_error() => ExpectRefusedAsync(Limited(5).With(PropertyId.ReceiveMaximum, 5));

    private static Connect Limited(int maximum) => new Connect(V5, NewClientId()).With(PropertyId.ReceiveMaximum, maximum);

    /// <summary>Another subscriber has got the messages, so the server has had them to send.</summary>
    private async Task PublishAndWitnessAsync(string topic, int qoS, int count, int from = 0)
    {
        var witness = await SubscribeAsync(V5, topic, 0);
        await PublishAsync(topic, qoS, [.. Enumerable.Range(from, count).Select(i => $"{i}")]);
        await witness.ReceiveTextsAsync(count);
    }
}
