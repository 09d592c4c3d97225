namespace OrleansMqtt.Conformance.Tests.Delivery;

/// <summary>The order of messages (section 4.6).</summary>
public sealed class OrderTests(ConformanceServer server) : ConformanceTests(server)
{
    [Theory, InlineData(V311, 0), InlineData(V311, 1), InlineData(V311, 2), InlineData(V5, 0), InlineData(V5, 1), InlineData(V5, 2)]
    [Statement(V311, "MQTT-4.6.0-5", "MQTT-4.6.0-6")]
    [Statement(V5, "MQTT-4.6.0-5", "MQTT-4.6.0-6")]
    public async Task Each_subscriber_gets_the_messages_of_a_publisher_in_their_order(MqttVersion version, int qoS)
    {
        var topic = NewTopic();
        List<Client> subscribers = [await SubscribeAsync(version, topic, qoS), await SubscribeAsync(version, $"{topic}/#", qoS)];
        var publishers = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => ConnectAsync(version)));
        const int Count = 60;
        var publishing = Task.WhenAll(publishers.Select(async (publisher, p) =>
        {
            for (var i = 0; i < Count; i++)
            {
                await publisher.PublishAsync(new Publish(topic, $"{p} {i}") { QoS = qoS });
            }
        }));

        foreach (var subscriber in subscribers)
        {
            int[] next = new int[publishers.Length];
            for (var i = 0; i < Count * publishers.Length; i++)
            {
                var message = await subscriber.FindAsync<Publish>();
                await subscriber.AcknowledgeAsync(message);
                var parts = message.Payload.Split(' ');
                Assert.Equal($"{next[parts[0][0] - '0']++}", parts[1]);
            }
        }

        await publishing;
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-4.6.0-6")]
    [Statement(V5, "MQTT-4.6.0-5")]
    public async Task Messages_that_are_published_without_waiting_keep_their_order(MqttVersion version)
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(version, topic, 1);
        var publisher = await ConnectAsync(version);
        var sent = Enumerable.Range(1, 50).ToList();
        await publisher.SendAsync([.. sent.Select(i => new Publish(topic, $"{i}") { QoS = 1, PacketId = (ushort)i }.Encode(version))]);
        Assert.Equal(sent.Select(i => $"{i}"), await subscriber.ReceiveTextsAsync(50));
    }
}
