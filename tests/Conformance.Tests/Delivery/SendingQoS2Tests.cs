namespace OrleansMqtt.Conformance.Tests.Delivery;

/// <summary>QoS 2 from the server to a client.</summary>
public sealed class SendingQoS2Tests(ConformanceServer server) : ConformanceTests(server)
{
    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-4.3.3-1", "MQTT-2.3.1-6", "MQTT-3.3.1-2")]
    [Statement(V5, "MQTT-4.3.3-1", "MQTT-4.3.3-2", "MQTT-4.3.3-4", "MQTT-2.2.1-4", "MQTT-2.2.1-5", "MQTT-3.6.2-1")]
    public async Task A_message_has_a_packet_identifier_and_PUBREC_is_answered_with_PUBREL(MqttVersion version)
    {
        var topic = NewTopic();
        var client = await SubscribeAsync(version, topic, 2);
        await PublishAsync(topic, 2, "message");
        var message = await client.ReceiveAsync<Publish>();
        Assert.Equal(("message", 2, false), (message.Payload, message.QoS, message.IsDuplicate));
        Assert.NotEqual(0, message.PacketId);
        await client.SendAsync(new PubRec(message.PacketId).Encode());
        var release = await client.ReceiveAsync<PubRel>();
        Assert.Equal((message.PacketId, (byte)0), (release.PacketId, release.Code));
        await client.SendAsync(new PubComp(message.PacketId).Encode());
        await ExpectNextAsync(client, topic);
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-4.3.3-1")]
    [Statement(V5, "MQTT-4.3.3-4")]
    public async Task PUBREC_that_comes_again_is_answered_with_PUBREL_again(MqttVersion version)
    {
        var topic = NewTopic();
        var client = await SubscribeAsync(version, topic, 2);
        await PublishAsync(topic, 2, "message");
        var message = await client.ReceiveAsync<Publish>();
        for (var i = 0; i < 2; i++)
        {
            await client.SendAsync(new PubRec(message.PacketId).Encode());
            Assert.Equal(message.PacketId, (await client.ReceiveAsync<PubRel>()).PacketId);
        }

        await client.SendAsync(new PubComp(message.PacketId).Encode());
        await ExpectNextAsync(client, topic);
    }

    [Fact]
    [Statement(V5, "MQTT-4.3.3-4", "MQTT-3.6.2-1", "section 3.6.2.1")]
    public async Task PUBREC_of_an_unknown_packet_identifier_is_answered_with_PUBREL_not_found()
    {
        var client = await ConnectAsync(V5);
        await client.SendAsync(new PubRec(1234).Encode());
        var release = await client.ReceiveAsync<PubRel>();
        Assert.Equal((1234, 0x92), (release.PacketId, release.Code));
        await client.PingAsync();
    }

    [Theory, InlineData(0x80), InlineData(0x83), InlineData(0x87), InlineData(0x97)]
    [Statement(V5, "MQTT-4.3.3-4", "MQTT-4.4.0-2")]
    public async Task PUBREC_with_an_error_ends_the_exchange(byte code)
    {
        var (connect, topic) = (Connect.Durable(V5, NewClientId()), NewTopic());
        var client = await SubscribeAsync(connect, topic, 2);
        await PublishAsync(topic, 2, "refused");
        await client.SendAsync(new PubRec((await client.ReceiveAsync<Publish>()).PacketId, code).Encode());
        await ExpectNextAsync(client, topic);
        client.Drop();
        await ExpectNextAsync(await ConnectAsync(connect), topic);
    }

    [Fact]
    [Statement(V5, "MQTT-4.3.3-4", "MQTT-3.3.4-9")]
    public async Task PUBREC_with_an_error_frees_the_packet_identifier_and_its_place_in_the_window()
    {
        var topic = NewTopic();
        var client = await SubscribeAsync(new Connect(V5, NewClientId()).With(PropertyId.ReceiveMaximum, 1), topic, 2);
        await PublishAsync(topic, 2, "refused", "next");
        var refused = await client.ReceiveAsync<Publish>();
        await client.SendAsync(new PubRec(refused.PacketId, 0x97).Encode());
        Assert.Equal("next", await client.ReceiveTextAsync());

        // The identifier is known no more.
        await client.SendAsync(new PubRec(refused.PacketId).Encode());
        Assert.Equal(0x92, (await client.ReceiveAsync<PubRel>()).Code);
    }

    [Fact]
    [Statement(V5, "MQTT-4.3.3-7")]
    public async Task A_message_that_was_sent_does_not_expire()
    {
        var (connect, topic) = (Connect.Durable(V5, NewClientId()), NewTopic());
        var before = await SubscribeAsync(connect, topic, 2);
        await PublishAsync(new Publish(topic, "sent") { QoS = 2, Properties = new() { { PropertyId.MessageExpiry, 1 } } });
        var message = await before.ReceiveAsync<Publish>();
        before.Drop();
        await PassThreeSecondsAsync();
        var after = await ConnectAsync(connect);
        var again = await after.ReceiveAsync<Publish>();
        Assert.Equal((message.PacketId, "sent", true), (again.PacketId, again.Payload, again.IsDuplicate));
        await after.AcknowledgeAsync(again);
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-4.6.0-4", "MQTT-4.6.0-6")]
    [Statement(V5, "section 4.6")]
    public async Task PUBREL_follow_in_the_order_of_PUBREC(MqttVersion version)
    {
        var topic = NewTopic();
        var client = await SubscribeAsync(version, topic, 2);
        await PublishAsync(topic, 2, "1", "2", "3", "4", "5");
        var messages = await client.ReceiveMessagesAsync(5);
        await client.SendAsync([.. messages.Select(message => new PubRec(message.PacketId).Encode())]);
        foreach (var message in messages)
        {
            Assert.Equal(message.PacketId, (await client.ReceiveAsync<PubRel>()).PacketId);
        }
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-2.3.1-4")]
    [Statement(V5, "section 2.2.1")]
    public async Task Both_directions_may_use_one_packet_identifier_at_the_same_time(MqttVersion version)
    {
        var topic = NewTopic();
        var client = await SubscribeAsync(version, topic, 2);
        await PublishAsync(topic, 2, "to the client");
        var message = await client.ReceiveAsync<Publish>();
        await client.SendAsync(new Publish($"{topic}/other", "of the client") { QoS = 2, PacketId = message.PacketId }.Encode(version));
        Assert.Equal(message.PacketId, (await client.ReceiveAsync<PubRec>()).PacketId);
        await client.SendAsync(new PubRec(message.PacketId).Encode());
        Assert.Equal(message.PacketId, (await client.ReceiveAsync<PubRel>()).PacketId);
        await client.SendAsync(new PubRel(message.PacketId).Encode());
        var completed = await client.ReceiveAsync<PubComp>();
        Assert.Equal((message.PacketId, (byte)0), (completed.PacketId, completed.Code));
        await client.SendAsync(new PubComp(message.PacketId).Encode());
        await client.ExpectNothingAsync();
    }
}
