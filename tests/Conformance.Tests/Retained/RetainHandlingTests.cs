namespace OrleansMqtt.Conformance.Tests.Retained;

/// <summary>Retain Handling and Retain As Published (MQTT 5, section 3.8.3.1), and what a repeated subscription gets.</summary>
public sealed class RetainHandlingTests(ConformanceServer server) : ConformanceTests(server)
{
    private const int RetainAsPublished = 0x08;
    private const int IfNew = 0x10;
    private const int Never = 0x20;

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-3.8.4-3")]
    [Statement(V5, "MQTT-3.8.4-3", "MQTT-3.8.4-4", "MQTT-3.3.1-9")]
    public async Task A_subscription_that_is_made_again_gets_it_again_and_misses_nothing(MqttVersion version)
    {
        var topic = NewTopic();
        await RetainAsync(topic, "retained");
        var subscriber = await SubscribeAsync(version, topic, 1);
        Assert.Equal("retained", await subscriber.ReceiveTextAsync());
        for (var round = 0; round < 10; round++)
        {
            await PublishAsync(topic, 1, $"{round}");
            await subscriber.SubscribeAsync(topic, 1);
            List<Publish> messages = [await subscriber.ReceiveAsync<Publish>(), await subscriber.ReceiveAsync<Publish>()];
            foreach (var message in messages)
            {
                await subscriber.AcknowledgeAsync(message);
            }

            Assert.Equal([($"{round}", false), ("retained", true)], messages.Select(message => (message.Payload, message.IsRetained)).Order());
        }
    }

    [Fact]
    [Statement(V5, "MQTT-3.3.1-10")]
    public async Task With_1_only_a_new_subscription_gets_it()
    {
        var topic = NewTopic();
        await RetainAsync(topic, "retained");
        var subscriber = await ConnectAsync(V5);
        await subscriber.SubscribeAsync(topic, 1, IfNew);
        Assert.Equal("retained", await subscriber.ReceiveTextAsync());
        await subscriber.SubscribeAsync(topic, 1, IfNew);
        await ExpectNextAsync(subscriber, topic);
        await subscriber.UnsubscribeAsync(topic);
        await subscriber.SubscribeAsync(topic, 1, IfNew);
        Assert.Equal("retained", await subscriber.ReceiveTextAsync());
    }

    [Fact]
    [Statement(V5, "MQTT-3.3.1-10")]
    public async Task With_1_a_session_that_comes_back_is_not_sent_it_again()
    {
        var (connect, topic) = (Connect.Durable(V5, NewClientId()), NewTopic());
        await RetainAsync(topic, "retained");
        var before = await ConnectAsync(connect);
        await before.SubscribeAsync(topic, 1, IfNew);
        Assert.Equal("retained", await before.ReceiveTextAsync());
        await before.DisconnectAsync();
        var after = await ConnectAsync(connect);
        await after.SubscribeAsync(topic, 1, IfNew);
        await ExpectNextAsync(after, topic);
    }

    [Fact]
    [Statement(V5, "MQTT-3.3.1-11")]
    public async Task With_2_no_subscription_gets_it()
    {
        var topic = NewTopic();
        await RetainAsync(topic, "retained");
        var subscriber = await ConnectAsync(V5);
        await subscriber.SubscribeAsync(topic, 1, Never);
        await ExpectNextAsync(subscriber, topic);
        await subscriber.SubscribeAsync(topic, 1, Never);
        await ExpectNextAsync(subscriber, topic);
    }

    [Theory, InlineData(0), InlineData(1), InlineData(2)]
    [Statement(V5, "MQTT-3.3.1-12", "MQTT-3.3.1-13")]
    public async Task Retain_As_Published_keeps_the_flag_of_each_message(int qoS)
    {
        var topic = NewTopic();
        var (keeping, plain) = (await ConnectAsync(V5), await SubscribeAsync(V5, topic, 2));
        await keeping.SubscribeAsync(topic, 2, RetainAsPublished);
        await PublishAsync(new Publish(topic, "retained") { QoS = qoS, IsRetained = true });
        await PublishAsync(new Publish(topic, "not") { QoS = qoS });
        await PublishAsync(new Publish(topic, "") { QoS = qoS, IsRetained = true });
        foreach (var (subscriber, keeps) in new[] { (keeping, true), (plain, false) })
        {
            List<(string, bool)> received = [];
            while (received.Count < 3)
            {
                var message = await subscriber.ReceiveAsync<Publish>();
                await subscriber.AcknowledgeAsync(message);
                received.Add((message.Payload, message.IsRetained));
            }

            Assert.Equal([("retained", keeps), ("not", false), ("", keeps)], received.OrderBy(each => each.Item1 switch { "retained" => 0, "not" => 1, _ => 2 }));
        }
    }

    [Theory, InlineData(1), InlineData(2)]
    [Statement(V5, "MQTT-3.3.1-13", "MQTT-4.4.0-1")]
    public async Task Retain_As_Published_holds_for_what_waits_and_for_repetitions(int qoS)
    {
        var (connect, topic) = (Connect.Durable(V5, NewClientId()), NewTopic());
        var before = await ConnectAsync(connect);
        await before.SubscribeAsync(topic, 2, RetainAsPublished);
        await before.DisconnectAsync();
        await PublishAsync(new Publish(topic, "retained") { QoS = qoS, IsRetained = true });
        await PublishAsync(new Publish(topic, "not") { QoS = qoS });
        for (var connection = 0; connection < 2; connection++)
        {
            var after = await ConnectAsync(connect);
            var messages = await after.ReceiveMessagesAsync(2);
            Assert.Equal([("not", false, connection > 0), ("retained", true, connection > 0)], messages.Select(message => (message.Payload, message.IsRetained, message.IsDuplicate)).Order());
            after.Drop();
        }
    }

    [Fact]
    [Statement(V5, "MQTT-3.8.3-3")]
    public async Task No_Local_holds_for_retained_messages_too()
    {
        var topic = NewTopic();
        var client = await ConnectAsync(V5);
        await client.PublishAsync(new Publish(topic, "own") { QoS = 1, IsRetained = true });
        await client.SubscribeAsync(topic, 1, 0x04);
        await ExpectNextAsync(client, topic);
    }

    private Task RetainAsync(string topic, string payload) => PublishAsync(new Publish(topic, payload) { QoS = 1, IsRetained = true });
}
