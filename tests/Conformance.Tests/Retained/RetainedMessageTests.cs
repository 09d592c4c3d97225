namespace OrleansMqtt.Conformance.Tests.Retained;

/// <summary>What is stored as the retained message of a topic, and what a new subscription gets (section 3.3.1.3).</summary>
public sealed class RetainedMessageTests(ConformanceServer server) : ConformanceTests(server)
{
    [Theory, InlineData(V311, 0), InlineData(V311, 1), InlineData(V311, 2), InlineData(V5, 0), InlineData(V5, 1), InlineData(V5, 2)]
    [Statement(V311, "MQTT-3.3.1-5", "MQTT-3.3.1-6", "MQTT-3.3.1-7", "MQTT-3.3.1-8")]
    [Statement(V5, "MQTT-3.3.1-5", "MQTT-3.3.1-9")]
    public async Task The_last_one_is_kept_and_sent_to_a_new_subscription(MqttVersion version, int qoS)
    {
        var topic = NewTopic();
        await RetainAsync(topic, "first", qoS);
        await RetainAsync(topic, "last", qoS);
        await SettleAsync(topic);
        var subscriber = await SubscribeAsync(version, topic, 2);
        var message = await subscriber.ReceiveAsync<Publish>();
        Assert.Equal((topic, "last", qoS, true, false), (message.Topic, message.Payload, message.QoS, message.IsRetained, message.IsDuplicate));
        await subscriber.AcknowledgeAsync(message);
        await subscriber.ExpectNothingAsync();
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-3.3.1-6", "MQTT-4.7.1-2", "MQTT-4.7.1-3")]
    [Statement(V5, "MQTT-3.3.1-9", "MQTT-4.7.1-1", "MQTT-4.7.1-2")]
    public async Task A_filter_with_wildcards_finds_all_that_match(MqttVersion version)
    {
        var site = NewTopic();
        foreach (var name in new[] { "1/temperature", "1/pressure", "2/temperature", "2/temperature/limit", "temperature" })
        {
            await RetainAsync($"{site}/{name}", name, 1);
        }

        Assert.Equal(["1/temperature", "2/temperature"], await FindAsync(version, $"{site}/+/temperature", 2));
        Assert.Equal(["2/temperature", "2/temperature/limit"], await FindAsync(version, $"{site}/2/#", 2));
        Assert.Equal(["1/pressure", "1/temperature", "2/temperature", "2/temperature/limit", "temperature"], await FindAsync(version, $"{site}/#", 5));
        Assert.Equal(["2/temperature", "2/temperature/limit"], await FindAsync(version, $"{site}/2/temperature/#", 2));
    }

    [Theory, InlineData(V311, 0), InlineData(V311, 1), InlineData(V311, 2), InlineData(V5, 0), InlineData(V5, 1), InlineData(V5, 2)]
    [Statement(V311, "MQTT-3.3.1-10", "MQTT-3.3.1-11")]
    [Statement(V5, "MQTT-3.3.1-6", "MQTT-3.3.1-7")]
    public async Task An_empty_one_is_delivered_as_any_message_and_removes_what_is_retained(MqttVersion version, int qoS)
    {
        var topic = NewTopic();
        await RetainAsync(topic, "retained", 1);
        var earlier = await SubscribeAsync(version, topic, 2);
        Assert.Equal("retained", await earlier.ReceiveTextAsync());
        await RetainAsync(topic, "", qoS);
        var empty = await earlier.ReceiveAsync<Publish>();
        Assert.Equal(("", qoS, false), (empty.Payload, empty.QoS, empty.IsRetained));
        await earlier.AcknowledgeAsync(empty);
        await SettleAsync(topic);
        var later = await SubscribeAsync(version, topic, 2);
        await PublishAsync(topic, 1, "next");
        var next = await later.ReceiveAsync<Publish>();
        Assert.Equal(("next", false), (next.Payload, next.IsRetained));
    }

    [Theory, InlineData(V311, "other"), InlineData(V311, ""), InlineData(V5, "other"), InlineData(V5, "")]
    [Statement(V311, "MQTT-3.3.1-12")]
    [Statement(V5, "MQTT-3.3.1-8")]
    public async Task A_message_without_the_flag_neither_stores_nor_replaces_nor_removes(MqttVersion version, string payload)
    {
        var (topic, none) = (NewTopic(), NewTopic());
        await RetainAsync(topic, "retained", 1);
        await PublishAsync(topic, 1, payload);
        await PublishAsync(none, 1, payload);
        var subscriber = await SubscribeAsync(version, none, 1);
        await subscriber.SubscribeAsync(topic, 1);
        Assert.Equal("retained", await subscriber.ReceiveTextAsync());
        await subscriber.ExpectNothingAsync();
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-3.3.1-9")]
    [Statement(V5, "MQTT-3.3.1-12")]
    public async Task To_a_subscription_that_is_there_it_is_sent_without_the_flag(MqttVersion version)
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(version, topic, 1);
        await RetainAsync(topic, "message", 1);
        var message = await subscriber.ReceiveAsync<Publish>();
        Assert.Equal(("message", false), (message.Payload, message.IsRetained));
    }

    [Theory, InlineData(V311, 0), InlineData(V311, 1), InlineData(V5, 0), InlineData(V5, 1)]
    [Statement(V311, "MQTT-3.8.4-6")]
    [Statement(V5, "MQTT-3.8.4-8")]
    public async Task Its_QoS_is_the_lesser_of_its_own_and_that_of_the_subscription(MqttVersion version, int qoS)
    {
        var topic = NewTopic();
        await RetainAsync(topic, "message", 2);
        var subscriber = await SubscribeAsync(version, topic, qoS);
        Assert.Equal(qoS, (await subscriber.ReceiveAsync<Publish>()).QoS);
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-3.1.2-7")]
    [Statement(V5, "section 4.1")]
    public async Task It_outlives_the_session_of_its_publisher(MqttVersion version)
    {
        var topic = NewTopic();
        var client = await ConnectAsync(version);
        await client.PublishAsync(new Publish(topic, "stays") { QoS = 1, IsRetained = true });
        await client.DisconnectAsync();
        var subscriber = await SubscribeAsync(version, topic, 1);
        Assert.Equal("stays", await subscriber.ReceiveTextAsync());
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-3.1.2-17")]
    [Statement(V5, "MQTT-3.1.2-15")]
    public async Task A_will_with_the_flag_is_retained(MqttVersion version)
    {
        var topic = NewTopic();
        var watcher = await SubscribeAsync(version, topic, 1);
        (await ConnectAsync(new Connect(version, NewClientId()) { Will = new(topic, "gone") { IsRetained = true } })).Drop();
        var will = await watcher.ReceiveAsync<Publish>();
        Assert.Equal(("gone", false), (will.Payload, will.IsRetained));
        await watcher.AcknowledgeAsync(will);
        var later = await SubscribeAsync(version, topic, 1);
        var retained = await later.ReceiveAsync<Publish>();
        Assert.Equal(("gone", 1, true), (retained.Payload, retained.QoS, retained.IsRetained));
    }

    [Fact]
    [Statement(V5, "section 3.3.1.3")]
    public async Task It_has_its_properties()
    {
        var topic = NewTopic();
        await PublishAsync(new Publish(topic, "message") { QoS = 1, IsRetained = true, Properties = MessagePropertySample.Create() });
        MessagePropertySample.AssertIn((await (await SubscribeAsync(V5, topic, 1)).ReceiveAsync<Publish>()).Properties);
    }

    [Fact]
    [Statement(V5, "MQTT-3.3.2-5", "MQTT-3.3.2-6")]
    public async Task It_has_what_is_left_of_its_interval_and_is_not_sent_when_it_has_expired()
    {
        var (expired, living) = (NewTopic(), NewTopic());
        await PublishAsync(new Publish(expired, "expired") { QoS = 1, IsRetained = true, Properties = new() { { PropertyId.MessageExpiry, 1 } } });
        await PublishAsync(new Publish(living, "living") { QoS = 1, IsRetained = true, Properties = new() { { PropertyId.MessageExpiry, 1000 } } });
        await PassThreeSecondsAsync();
        var subscriber = await SubscribeAsync(V5, expired, 1);
        await subscriber.SubscribeAsync(living, 1);
        var message = await subscriber.ReceiveAsync<Publish>();
        Assert.Equal("living", message.Payload);
        Assert.InRange(message.Properties.Number(PropertyId.MessageExpiry) ?? 0, 985u, 998u);
    }

    [Theory, InlineData(V311, 0), InlineData(V311, 2), InlineData(V5, 1), InlineData(V5, 2)]
    [Statement(V5, "MQTT-3.3.4-9")]
    [Statement(V311, "MQTT-4.4.0-1", "MQTT-4.6.0-1")]
    public async Task A_session_that_comes_back_gets_what_its_window_had_no_room_for(MqttVersion version, int qoS)
    {
        var site = NewTopic();
        for (var i = 0; i < 60; i++)
        {
            await RetainAsync($"{site}/{i}", $"{i}", 2);
        }

        var connect = Connect.Durable(version, NewClientId());
        connect = version is V5 ? connect.With(PropertyId.ReceiveMaximum, 10) : connect;
        var before = await ConnectAsync(connect);
        await before.SubscribeAsync($"{site}/#", qoS);
        List<Publish> received = [];
        while (received.Count < (qoS == 0 ? 60 : 10))
        {
            received.Add(await before.ReceiveAsync<Publish>());
        }

        if (qoS > 0)
        {
            if (version is V5)
            {
                await before.ExpectNothingAsync();
            }

            before.Drop();
            received.Clear();
            var after = await ConnectAsync(connect);
            Assert.True(after.ConnAck.IsSessionPresent);
            while (received.Count < 60)
            {
                received.Add(await after.ReceiveAsync<Publish>());
                await after.AcknowledgeAsync(received[^1]);
            }

            await after.ExpectNothingAsync();
        }

        Assert.Equal(Enumerable.Range(0, 60).Select(i => $"{i}").Order(), received.Select(message => message.Payload).Order());
        Assert.All(received, message => Assert.True(message.IsRetained));
    }

    private Task RetainAsync(string topic, string payload, int qoS) => PublishAsync(new Publish(topic, payload) { QoS = qoS, IsRetained = true });

    /// <summary>What was published with QoS 0 before is stored when this is acknowledged, because it comes behind it.</summary>
    private Task SettleAsync(string topic) => PublishAsync(new Publish($"{topic}/settled", "x") { QoS = 1 });

    private async Task<IEnumerable<string>> FindAsync(MqttVersion version, string filter, int count)
    {
        var subscriber = await SubscribeAsync(version, filter, 1);
        var messages = await subscriber.ReceiveMessagesAsync(count);
        await subscriber.ExpectNothingAsync();
        Assert.All(messages, message => Assert.EndsWith(message.Payload, message.Topic, StringComparison.Ordinal));
        return messages.Select(message => message.Payload).Order(StringComparer.Ordinal);
    }
}
