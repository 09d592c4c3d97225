namespace OrleansMqtt.Conformance.Tests.Delivery;

/// <summary>QoS 2 from a client to the server.</summary>
public sealed class ReceivingQoS2Tests(ConformanceServer server) : ConformanceTests(server)
{
    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-4.3.3-2", "MQTT-2.3.1-6", "MQTT-3.3.4-1")]
    [Statement(V5, "MQTT-4.3.3-8", "MQTT-4.3.3-11", "MQTT-2.2.1-5", "MQTT-3.3.4-1", "MQTT-3.5.2-1", "MQTT-3.7.2-1")]
    public async Task A_message_is_answered_with_PUBREC_and_PUBREL_with_PUBCOMP_and_it_arrives_once(MqttVersion version)
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(version, topic, 2);
        var publisher = await ConnectAsync(version);
        await publisher.SendAsync(Message(topic, "once", 0xFFFF).Encode(version));
        var received = await publisher.ReceiveAsync<PubRec>();
        Assert.Equal((ushort)0xFFFF, received.PacketId);
        Assert.InRange(received.Code, 0, 0x7F);
        await publisher.SendAsync(new PubRel(0xFFFF).Encode());
        var completed = await publisher.ReceiveAsync<PubComp>();
        Assert.Equal((0xFFFF, 0), (completed.PacketId, completed.Code));
        await PublishAsync(topic, 2, "next");
        Assert.Equal(["once", "next"], await subscriber.ReceiveTextsAsync(2));
    }

    [Theory, InlineData(V311, true), InlineData(V311, false), InlineData(V5, true), InlineData(V5, false)]
    [Statement(V311, "MQTT-4.3.3-2")]
    [Statement(V5, "MQTT-4.3.3-10")]
    public async Task A_message_that_comes_again_before_PUBREL_is_answered_with_PUBREC_and_not_forwarded_again(MqttVersion version, bool isMarked)
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(version, topic, 2);
        var publisher = await ConnectAsync(version);
        for (var i = 0; i < 3; i++)
        {
            await publisher.SendAsync((Message(topic, "once", 7) with { IsDuplicate = isMarked && i > 0 }).Encode(version));
            Assert.Equal(7, (await publisher.ReceiveAsync<PubRec>()).PacketId);
        }

        await publisher.SendAsync(new PubRel(7).Encode());
        Assert.Equal(7, (await publisher.ReceiveAsync<PubComp>()).PacketId);
        await PublishAsync(topic, 2, "next");
        Assert.Equal(["once", "next"], await subscriber.ReceiveTextsAsync(2));
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-4.3.3-2")]
    [Statement(V5, "MQTT-4.3.3-10")]
    public async Task Copies_that_are_sent_without_waiting_for_PUBREC_are_one_message_too(MqttVersion version)
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(version, topic, 2);
        var publisher = await ConnectAsync(version);
        var bytes = Message(topic, "once", 7).Encode(version);
        await publisher.SendAsync(bytes, bytes, new PubRel(7).Encode());
        Assert.Equal(7, (await publisher.ReceiveAsync<PubRec>()).PacketId);
        Assert.Equal(7, (await publisher.ReceiveAsync<PubRec>()).PacketId);
        Assert.Equal(7, (await publisher.ReceiveAsync<PubComp>()).PacketId);
        await PublishAsync(topic, 2, "next");
        Assert.Equal(["once", "next"], await subscriber.ReceiveTextsAsync(2));
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-4.3.3-2", "MQTT-2.3.1-3")]
    [Statement(V5, "MQTT-4.3.3-12")]
    public async Task After_PUBCOMP_the_packet_identifier_stands_for_a_new_message(MqttVersion version)
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(version, topic, 2);
        var publisher = await ConnectAsync(version);
        foreach (var payload in new[] { "1", "2", "2" })
        {
            await publisher.SendAsync(Message(topic, payload, 7).Encode(version));
            await publisher.ReceiveAsync<PubRec>();
            await publisher.SendAsync(new PubRel(7).Encode());
            await publisher.ReceiveAsync<PubComp>();
        }

        Assert.Equal(["1", "2", "2"], await subscriber.ReceiveTextsAsync(3));
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-4.3.3-2")]
    [Statement(V5, "MQTT-4.3.3-11", "MQTT-3.7.2-1", "section 3.7.2.1")]
    public async Task PUBREL_of_an_unknown_packet_identifier_is_answered_with_PUBCOMP_not_found(MqttVersion version)
    {
        var publisher = await ConnectAsync(version);
        await publisher.SendAsync(new PubRel(1234).Encode());
        var completed = await publisher.ReceiveAsync<PubComp>();
        Assert.Equal((1234, version is V5 ? 0x92 : 0), (completed.PacketId, completed.Code));
        await publisher.PingAsync();
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-4.3.3-2", "MQTT-4.4.0-1")]
    [Statement(V5, "MQTT-4.3.3-10", "MQTT-4.3.3-11", "MQTT-4.4.0-1", "section 4.1")]
    public async Task A_message_that_a_client_repeats_when_it_comes_back_is_forwarded_once(MqttVersion version)
    {
        var (connect, topic) = (Connect.Durable(version, NewClientId()), NewTopic());
        var subscriber = await SubscribeAsync(version, topic, 2);
        var before = await ConnectAsync(connect);
        await before.SendAsync(Message(topic, "1", 7).Encode(version), Message(topic, "2", 8).Encode(version));
        await before.ReceiveAsync<PubRec>();
        await before.ReceiveAsync<PubRec>();
        before.Drop();

        var after = await ConnectAsync(connect);
        Assert.True(after.ConnAck.IsSessionPresent);
        foreach (var (packetId, payload) in new (ushort, string)[] { (7, "1"), (8, "2") })
        {
            await after.SendAsync((Message(topic, payload, packetId) with { IsDuplicate = true }).Encode(version));
            Assert.Equal(packetId, (await after.ReceiveAsync<PubRec>()).PacketId);
            await after.SendAsync(new PubRel(packetId).Encode());
            var completed = await after.ReceiveAsync<PubComp>();
            Assert.Equal((packetId, (byte)0), (completed.PacketId, completed.Code));
        }

        await PublishAsync(topic, 2, "next");
        Assert.Equal(["1", "2", "next"], await subscriber.ReceiveTextsAsync(3));
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-4.3.3-2", "MQTT-4.4.0-1")]
    [Statement(V5, "MQTT-4.3.3-11", "MQTT-4.4.0-1")]
    public async Task A_PUBREL_that_a_client_repeats_when_it_comes_back_is_answered_again(MqttVersion version)
    {
        var (connect, topic) = (Connect.Durable(version, NewClientId()), NewTopic());
        var subscriber = await SubscribeAsync(version, topic, 2);
        var before = await ConnectAsync(connect);
        await before.SendAsync(Message(topic, "once", 7).Encode(version));
        await before.ReceiveAsync<PubRec>();
        await before.SendAsync(new PubRel(7).Encode());
        await before.ReceiveAsync<PubComp>();
        before.Drop();

        // The client behaves as if PUBCOMP had not reached it.
        var after = await ConnectAsync(connect);
        await after.SendAsync(new PubRel(7).Encode());
        var completed = await after.ReceiveAsync<PubComp>();
        Assert.Equal(7, completed.PacketId);
        Assert.Contains(completed.Code, version is V5 ? [0, 0x92] : new byte[] { 0 });
        await PublishAsync(topic, 2, "next");
        Assert.Equal(["once", "next"], await subscriber.ReceiveTextsAsync(2));
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-3.1.2-6")]
    [Statement(V5, "MQTT-3.1.2-4")]
    public async Task A_clean_start_forgets_the_packet_identifiers_of_the_session(MqttVersion version)
    {
        var (connect, topic) = (Connect.Durable(version, NewClientId()), NewTopic());
        var subscriber = await SubscribeAsync(version, topic, 2);
        var before = await ConnectAsync(connect);
        await before.SendAsync(Message(topic, "abandoned", 7).Encode(version));
        await before.ReceiveAsync<PubRec>();
        before.Drop();

        var after = await ConnectAsync(connect with { IsCleanStart = true });
        await after.SendAsync(Message(topic, "new", 7).Encode(version));
        await after.ReceiveAsync<PubRec>();
        await after.SendAsync(new PubRel(7).Encode());
        await after.ReceiveAsync<PubComp>();

        // Whether a server forwards before or after PUBREL is its own choice.
        var payload = await subscriber.ReceiveTextAsync();
        Assert.Equal("new", payload == "abandoned" ? await subscriber.ReceiveTextAsync() : payload);
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-4.6.0-6")]
    [Statement(V5, "MQTT-4.6.0-5")]
    public async Task Exchanges_that_overlap_are_told_apart_and_keep_the_order_of_their_messages(MqttVersion version)
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(version, topic, 2);
        var publisher = await ConnectAsync(version);
        ushort[] packetIds = [5, 3, 1, 4, 2];
        await publisher.SendAsync([.. packetIds.Select(packetId => Message(topic, $"{packetId}", packetId).Encode(version))]);
        foreach (var packetId in packetIds)
        {
            Assert.Equal(packetId, (await publisher.ReceiveAsync<PubRec>()).PacketId);
        }

        foreach (var packetId in packetIds)
        {
            await publisher.SendAsync(new PubRel(packetId).Encode());
            Assert.Equal(packetId, (await publisher.ReceiveAsync<PubComp>()).PacketId);
        }

        Assert.Equal(["5", "3", "1", "4", "2"], await subscriber.ReceiveTextsAsync(5));
    }

    [Theory, InlineData(V311, 0x60), InlineData(V311, 0x63), InlineData(V311, 0x66), InlineData(V311, 0x6A), InlineData(V5, 0x60), InlineData(V5, 0x63), InlineData(V5, 0x66), InlineData(V5, 0x6A)]
    [Statement(V311, "MQTT-3.6.1-1")]
    [Statement(V5, "MQTT-3.6.1-1")]
    public async Task PUBREL_with_other_flags_closes_the_connection(MqttVersion version, byte firstByte)
    {
        var publisher = await ConnectAsync(version);
        await publisher.SendAsync(Message(NewTopic(), "message", 7).Encode(version));
        await publisher.ReceiveAsync<PubRec>();
        await publisher.SendAsync([firstByte, 2, 0, 7]);
        await publisher.ReceiveCloseAsync();
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-3.3.1-4")]
    [Statement(V5, "MQTT-3.3.1-4")]
    public async Task A_message_of_QoS_3_closes_the_connection_and_is_not_forwarded(MqttVersion version)
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(version, topic, 2);
        var publisher = await ConnectAsync(version);
        await publisher.SendAsync((Message(topic, "malformed", 7) with { QoS = 3 }).Encode(version));
        await publisher.ReceiveCloseAsync();
        await PublishAsync(topic, 2, "next");
        Assert.Equal("next", await subscriber.ReceiveTextAsync());
    }

    private static Publish Message(string topic, string payload, ushort packetId) => new(topic, payload) { QoS = 2, PacketId = packetId };
}
