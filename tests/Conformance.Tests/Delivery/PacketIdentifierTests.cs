namespace OrleansMqtt.Conformance.Tests.Delivery;

/// <summary>The rules of packet identifiers.</summary>
public sealed class PacketIdentifierTests(ConformanceServer server) : ConformanceTests(server)
{
    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-2.3.1-1", "MQTT-2.3.1-4", "MQTT-4.3.2-1", "MQTT-4.3.3-1")]
    [Statement(V5, "MQTT-2.2.1-4", "MQTT-4.3.2-1", "MQTT-4.3.2-2", "MQTT-4.3.3-1")]
    public async Task The_server_gives_each_unacknowledged_message_an_unused_one(MqttVersion version)
    {
        var (connect, topic) = (Connect.Durable(version, NewClientId()), NewTopic());
        var client = await SubscribeAsync(connect, topic, 2);
        List<Publish> unacknowledged = [];
        for (var i = 0; i < 12; i++)
        {
            await PublishAsync(topic, 1 + (i % 2), $"{i}");
            var message = await client.ReceiveAsync<Publish>();
            Assert.Equal(($"{i}", false), (message.Payload, message.IsDuplicate));
            Assert.NotEqual(0, message.PacketId);
            Assert.DoesNotContain(message.PacketId, unacknowledged.Select(other => other.PacketId));

            // Every third one is acknowledged, so that identifiers become free between others that are not.
            if (i % 3 == 1)
            {
                await client.AcknowledgeAsync(message);
            }
            else
            {
                unacknowledged.Add(message);
            }

            if (i == 6)
            {
                await client.DisconnectAsync();
                client = await ConnectAsync(connect);
                Assert.Equal(unacknowledged.Select(other => other.PacketId), (await client.ReceiveMessagesAsync(unacknowledged.Count)).Select(other => other.PacketId));
            }
        }
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-2.3.1-6", "MQTT-2.3.1-7", "MQTT-4.3.2-2")]
    [Statement(V5, "MQTT-2.2.1-5", "MQTT-2.2.1-6", "MQTT-4.3.2-4", "MQTT-3.8.4-2", "MQTT-3.10.4-5")]
    public async Task Acknowledgements_carry_the_one_they_answer(MqttVersion version)
    {
        var (client, topic) = (await ConnectAsync(version), NewTopic());
        foreach (var packetId in new ushort[] { 1, 0xFFFF, 0x0100 })
        {
            await client.SendAsync(new Subscribe(packetId, topic, 0).Encode(version));
            Assert.Equal(packetId, (await client.ReceiveAsync<SubAck>()).PacketId);
            await client.SendAsync(new Unsubscribe(packetId, topic).Encode(version));
            Assert.Equal(packetId, (await client.ReceiveAsync<UnsubAck>()).PacketId);
            await client.SendAsync(new Publish(topic, "message") { QoS = 1, PacketId = packetId }.Encode(version));
            Assert.Equal(packetId, (await client.ReceiveAsync<PubAck>()).PacketId);
        }
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-4.3.2-2")]
    [Statement(V5, "MQTT-4.3.2-5")]
    public async Task After_PUBACK_the_same_one_stands_for_a_new_message_even_if_it_is_marked_as_a_duplicate(MqttVersion version)
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(version, topic, 1);
        var publisher = await ConnectAsync(version);
        for (var i = 0; i < 2; i++)
        {
            await publisher.SendAsync(new Publish(topic, "message") { QoS = 1, PacketId = 7, IsDuplicate = i > 0 }.Encode(version));
            Assert.Equal(7, (await publisher.ReceiveAsync<PubAck>()).PacketId);
        }

        Assert.Equal(["message", "message"], await subscriber.ReceiveTextsAsync(2));
    }

    [Theory, InlineData(V311, 1), InlineData(V311, 2), InlineData(V5, 1), InlineData(V5, 2)]
    [Statement(V311, "MQTT-2.3.1-1")]
    [Statement(V5, "MQTT-2.2.1-3")]
    public async Task A_message_with_zero_for_one_closes_the_connection(MqttVersion version, int qoS)
    {
        var client = await ConnectAsync(version);
        await client.SendAsync(new Publish(NewTopic(), "message") { QoS = qoS, PacketId = 0 }.Encode(version));
        await client.ReceiveCloseAsync();
    }

    [Theory, InlineData(V311, true), InlineData(V311, false), InlineData(V5, true), InlineData(V5, false)]
    [Statement(V311, "MQTT-2.3.1-1")]
    [Statement(V5, "MQTT-2.2.1-3")]
    public async Task SUBSCRIBE_or_UNSUBSCRIBE_with_zero_for_one_closes_the_connection(MqttVersion version, bool isSubscribe)
    {
        var (client, topic) = (await ConnectAsync(version), NewTopic());
        await client.SendAsync(isSubscribe ? new Subscribe(0, topic, 0).Encode(version) : new Unsubscribe(0, topic).Encode(version));
        await client.ReceiveCloseAsync();
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-2.3.1-5", "MQTT-4.3.1-1", "MQTT-3.3.1-2")]
    [Statement(V5, "MQTT-2.2.1-2", "MQTT-4.3.1-1", "MQTT-3.3.1-2")]
    public async Task A_message_of_QoS_0_has_none_and_is_never_a_duplicate(MqttVersion version)
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(version, topic, 0);
        await PublishAsync(topic, 1, "message");
        var message = await subscriber.ReceiveAsync<Publish>();
        Assert.Equal(("message", 0, false), (message.Payload, message.QoS, message.IsDuplicate));
        await subscriber.ExpectNothingAsync();
    }
}
