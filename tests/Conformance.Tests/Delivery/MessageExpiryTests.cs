namespace OrleansMqtt.Conformance.Tests.Delivery;

/// <summary>The Message Expiry Interval.</summary>
public sealed class MessageExpiryTests(ConformanceServer server) : ConformanceTests(server)
{
    [Fact]
    [Statement(V5, "MQTT-3.3.2-6")]
    public async Task A_message_that_did_not_wait_has_its_whole_interval_and_one_without_has_none()
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(V5, topic, 1);
        await PublishAsync(Expiring(topic, "with", 1000));
        await PublishAsync(topic, 1, "without");
        var messages = await subscriber.ReceiveMessagesAsync(2);
        Assert.InRange(messages[0].Properties.Number(PropertyId.MessageExpiry) ?? 0, 998u, 1000u);
        Assert.Null(messages[1].Properties.Number(PropertyId.MessageExpiry));
    }

    [Theory, InlineData(1), InlineData(2)]
    [Statement(V5, "MQTT-3.3.2-6")]
    public async Task The_time_that_a_message_waited_is_taken_from_its_interval(int qoS)
    {
        var (connect, topic) = (Connect.Durable(V5, NewClientId()), NewTopic());
        await (await SubscribeAsync(connect, topic, 2)).DisconnectAsync();
        await PublishAsync(Expiring(topic, "message", 1000) with { QoS = qoS });
        await PassThreeSecondsAsync();
        var message = await (await ConnectAsync(connect)).ReceiveAsync<Publish>();
        Assert.InRange(message.Properties.Number(PropertyId.MessageExpiry) ?? 0, 985u, 998u);
    }

    [Fact]
    [Statement(V5, "MQTT-3.3.2-6")]
    public async Task The_time_since_then_is_taken_from_a_repetition_too()
    {
        var (connect, topic) = (Connect.Durable(V5, NewClientId()), NewTopic());
        var before = await SubscribeAsync(connect, topic, 1);
        await PublishAsync(Expiring(topic, "message", 1000));
        await before.ReceiveAsync<Publish>();
        before.Drop();
        await PassThreeSecondsAsync();
        var again = await (await ConnectAsync(connect)).ReceiveAsync<Publish>();
        Assert.True(again.IsDuplicate);
        Assert.InRange(again.Properties.Number(PropertyId.MessageExpiry) ?? 0, 985u, 998u);
    }

    [Theory, InlineData(V311, 1), InlineData(V311, 2), InlineData(V5, 1), InlineData(V5, 2)]
    [Statement(V5, "MQTT-3.3.2-5")]
    public async Task A_message_that_expired_while_the_client_was_away_is_not_delivered(MqttVersion version, int qoS)
    {
        var (connect, topic) = (Connect.Durable(version, NewClientId()), NewTopic());
        await (await SubscribeAsync(connect, topic, qoS)).DisconnectAsync();
        await PublishAsync(topic, qoS, "1");
        await PublishAsync(Expiring(topic, "expired", 1) with { QoS = qoS });
        await PublishAsync(topic, qoS, "2");
        await PassThreeSecondsAsync();
        var after = await ConnectAsync(connect);
        Assert.Equal(["1", "2"], await after.ReceiveTextsAsync(2));
        await after.ExpectNothingAsync();
    }

    [Fact]
    [Statement(V5, "MQTT-3.3.2-5", "MQTT-3.3.2-6")]
    public async Task A_message_that_expires_while_the_window_is_full_is_not_delivered()
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(new Connect(V5, NewClientId()).With(PropertyId.ReceiveMaximum, 1), topic, 1);
        await PublishAsync(topic, 1, "1");
        await PublishAsync(Expiring(topic, "expired", 1));
        await PublishAsync(Expiring(topic, "2", 1000));
        var first = await subscriber.ReceiveAsync<Publish>();
        await PassThreeSecondsAsync();
        await subscriber.AcknowledgeAsync(first);
        var second = await subscriber.ReceiveAsync<Publish>();
        Assert.Equal("2", second.Payload);
        Assert.InRange(second.Properties.Number(PropertyId.MessageExpiry) ?? 0, 985u, 998u);
    }

    [Fact]
    [Statement(V5, "MQTT-4.3.3-13")]
    public async Task The_exchange_of_a_message_that_expired_is_completed_with_its_publisher()
    {
        var (connect, topic) = (Connect.Durable(V5, NewClientId()), NewTopic());
        await (await SubscribeAsync(connect, topic, 2)).DisconnectAsync();
        var publisher = await ConnectAsync(V5);
        await publisher.SendAsync((Expiring(topic, "expired", 1) with { QoS = 2, PacketId = 7 }).Encode(V5));
        await publisher.ReceiveAsync<PubRec>();
        await PassThreeSecondsAsync();
        await publisher.SendAsync(new PubRel(7).Encode());
        var completed = await publisher.ReceiveAsync<PubComp>();
        Assert.Equal((7, 0), (completed.PacketId, completed.Code));
    }

    [Theory, InlineData(0x7FFF_FFFFu), InlineData(0x8000_0000u), InlineData(0xFFFF_FFFFu)]
    [Statement(V5, "MQTT-3.3.2-6")]
    public async Task An_interval_of_a_lifetime_is_passed_on_less_what_has_passed(uint seconds)
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(V5, topic, 1);
        await PublishAsync(Expiring(topic, "live", seconds));
        await PublishAsync(Expiring(topic, "retained", seconds) with { IsRetained = true });
        var late = await SubscribeAsync(V5, topic, 1);
        foreach (var message in (await subscriber.ReceiveMessagesAsync(2)).Concat(await late.ReceiveMessagesAsync(1)))
        {
            Assert.InRange(message.Properties.Number(PropertyId.MessageExpiry) ?? 0, seconds - 15, seconds);
        }
    }

    private static Publish Expiring(string topic, string payload, uint seconds) => new(topic, payload) { QoS = 1, Properties = new() { { PropertyId.MessageExpiry, seconds } } };
}
