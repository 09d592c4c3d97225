namespace OrleansMqtt.Conformance.Tests.Retained;

/// <summary>Which subscriptions are sent which retained messages, beyond those that a filter without wildcards finds.</summary>
public sealed class RetainedReachTests(ConformanceServer server) : ConformanceTests(server)
{
    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-4.7.2-1")]
    [Statement(V5, "MQTT-4.7.2-1")]
    public async Task A_filter_that_begins_with_a_wildcard_finds_none_of_topics_that_begin_with_a_dollar(MqttVersion version)
    {
        var end = $"{Guid.NewGuid():N}";
        await RetainAsync($"$conformance/{end}", "hidden");
        await RetainAsync($"conformance/{end}", "seen");
        var client = await SubscribeAsync(version, $"+/{end}", 1);
        Assert.Equal("seen", await client.ReceiveTextAsync());
        await client.ExpectNothingAsync();
        await client.SubscribeAsync($"$conformance/{end}", 1);
        Assert.Equal("hidden", await client.ReceiveTextAsync());
    }

    [Theory, InlineData(0x00), InlineData(0x10)]
    [Statement(V5, "section 4.8.2")]
    public async Task A_shared_subscription_is_sent_none(int retainHandling)
    {
        var topic = NewTopic();
        await RetainAsync(topic, "retained");
        var member = await ConnectAsync(V5);
        await member.SubscribeAsync($"$share/group/{topic}", 1, retainHandling);
        await PublishAsync(topic, 1, "next");
        Assert.Equal("next", await member.ReceiveTextAsync());
        await member.ExpectNothingAsync();
        await member.SubscribeAsync(topic, 1, retainHandling);
        Assert.Equal("retained", await member.ReceiveTextAsync());
    }

    [Fact]
    [Statement(V5, "MQTT-3.3.4-3", "MQTT-3.3.4-5", "MQTT-3.3.1-9")]
    public async Task Each_carries_the_identifier_of_the_subscription_that_it_is_sent_for()
    {
        var topic = NewTopic();
        await RetainAsync($"{topic}/a", "retained");
        var client = await ConnectAsync(V5);
        foreach (var (filter, identifier) in new[] { ($"{topic}/+", 7u), ($"{topic}/a", 268_435_455u), ($"{topic}/#", 0u) })
        {
            await client.SubscribeAsync(filter, 1, properties: identifier > 0 ? new() { { PropertyId.SubscriptionIdentifier, identifier } } : []);
            var message = await client.ReceiveAsync<Publish>();
            await client.AcknowledgeAsync(message);
            Assert.Equal(("retained", true), (message.Payload, message.IsRetained));
            Assert.Equal(identifier > 0 ? [identifier] : [], message.Properties.Numbers(PropertyId.SubscriptionIdentifier));
        }
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-3.1.2-17", "MQTT-3.3.1-10")]
    [Statement(V5, "MQTT-3.1.2-15", "MQTT-3.3.1-6")]
    public async Task An_empty_will_with_the_flag_removes_what_is_retained(MqttVersion version)
    {
        var topic = NewTopic();
        await RetainAsync(topic, "retained");
        var watcher = await SubscribeAsync(version, topic, 1);
        Assert.Equal("retained", await watcher.ReceiveTextAsync());
        (await ConnectAsync(new Connect(version, NewClientId()) { Will = new(topic, "") { IsRetained = true } })).Drop();
        Assert.Equal("", await watcher.ReceiveTextAsync());
        var later = await SubscribeAsync(version, topic, 1);
        await PublishAsync(topic, 1, "next");
        Assert.Equal("next", await later.ReceiveTextAsync());
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-3.8.4-3", "MQTT-3.8.4-4", "MQTT-3.8.4-5")]
    [Statement(V5, "MQTT-3.8.4-3", "MQTT-3.8.4-5", "MQTT-3.8.4-6")]
    public async Task Of_a_filter_that_comes_twice_in_one_SUBSCRIBE_the_second_counts(MqttVersion version)
    {
        var topic = NewTopic();
        await PublishAsync(new Publish(topic, "retained") { QoS = 2, IsRetained = true });
        var client = await ConnectAsync(version);
        await client.SendAsync(RawPackets.Request(version, 0x82, 1, [], RawPackets.Field(topic), [0], RawPackets.Field(topic), [2]));
        Assert.Equal([0, 2], (await client.FindAsync<SubAck>()).Codes);
        var retained = await client.ReceiveAsync<Publish>();
        Assert.Equal(("retained", 2), (retained.Payload, retained.QoS));
        await client.AcknowledgeAsync(retained);
        await PublishAsync(topic, 2, "next");
        var next = await client.ReceiveAsync<Publish>();
        Assert.Equal(("next", 2), (next.Payload, next.QoS));
        await client.AcknowledgeAsync(next);
        await client.SendAsync(RawPackets.Request(version, 0xA2, 2, [], RawPackets.Field(topic), RawPackets.Field(topic)));
        var ended = await client.ReceiveAsync<UnsubAck>();
        Assert.Equal(version is V5 ? [0x00, 0x11] : [], ended.Codes);
        await PublishAsync(topic, 2, "after");
        await client.ExpectNothingAsync();
    }

    private Task RetainAsync(string topic, string payload) => PublishAsync(new Publish(topic, payload) { QoS = 1, IsRetained = true });
}
