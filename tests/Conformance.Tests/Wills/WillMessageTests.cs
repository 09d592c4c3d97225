namespace OrleansMqtt.Conformance.Tests.Wills;

/// <summary>What a will looks like to its subscribers, and which CONNECT it makes invalid.</summary>
public sealed class WillMessageTests(ConformanceServer server) : ConformanceTests(server)
{
    [Theory, InlineData(V311, 0), InlineData(V311, 1), InlineData(V311, 2), InlineData(V5, 0), InlineData(V5, 1), InlineData(V5, 2)]
    [Statement(V311, "MQTT-3.1.2-9", "MQTT-3.1.2-14", "MQTT-3.1.2-16")]
    [Statement(V5, "MQTT-3.1.2-9", "MQTT-3.1.2-12", "MQTT-3.1.2-14")]
    public async Task It_is_published_with_its_QoS_and_not_retained(MqttVersion version, int qoS)
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(version, topic, 2);
        (await ConnectAsync(new Connect(version, NewClientId()) { Will = new(topic, "will") { QoS = qoS } })).Drop();
        var will = await subscriber.ReceiveAsync<Publish>();
        Assert.Equal((topic, "will", qoS, false), (will.Topic, will.Payload, will.QoS, will.IsRetained));
        await subscriber.AcknowledgeAsync(will);
        var later = await SubscribeAsync(version, topic, 2);
        await PublishAsync(topic, 1, "next");
        Assert.Equal("next", await later.ReceiveTextAsync());
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-3.1.2-9")]
    [Statement(V5, "MQTT-3.1.2-9")]
    public async Task It_may_be_empty(MqttVersion version)
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(version, topic, 1);
        (await ConnectAsync(new Connect(version, NewClientId()) { Will = new(topic, "") })).Drop();
        Assert.Equal("", await subscriber.ReceiveTextAsync());
    }

    [Fact]
    [Statement(V5, "MQTT-3.1.3-10", "MQTT-3.3.2-4", "MQTT-3.3.2-15", "MQTT-3.3.2-16", "MQTT-3.3.2-17", "MQTT-3.3.2-20", "section 3.1.3.2")]
    public async Task It_has_its_properties()
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(V5, topic, 1);
        PropertyList properties = [.. MessagePropertySample.Create(), KeyValuePair.Create<PropertyId, object>(PropertyId.WillDelay, 0), KeyValuePair.Create<PropertyId, object>(PropertyId.MessageExpiry, 1000)];
        (await ConnectAsync(new Connect(V5, NewClientId()) { Will = new(topic, "will") { Properties = properties } })).Drop();
        var received = (await subscriber.ReceiveAsync<Publish>()).Properties;
        MessagePropertySample.AssertIn(received);
        Assert.InRange(received.Number(PropertyId.MessageExpiry) ?? 0, 998u, 1000u);
        Assert.Null(received.Number(PropertyId.WillDelay));
    }

    [Fact]
    [Statement(V5, "section 3.1.3.2.4", "MQTT-3.3.2-6")]
    public async Task Its_expiry_interval_counts_from_when_it_is_published()
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(V5, topic, 1);
        var client = await ConnectAsync(new Connect(V5, NewClientId()) { Will = new(topic, "will") { Properties = new() { { PropertyId.MessageExpiry, 1000 } } } });
        await PassThreeSecondsAsync();
        client.Drop();
        Assert.InRange((await subscriber.ReceiveAsync<Publish>()).Properties.Number(PropertyId.MessageExpiry) ?? 0, 999u, 1000u);
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-3.1.2-14", "MQTT-3.1.4-1")]
    [Statement(V5, "MQTT-3.1.2-12", "MQTT-3.1.4-1")]
    public Task QoS_3_is_malformed(MqttVersion version) => ExpectRefusedAsync(new Connect(version, NewClientId()) { Will = new(NewTopic(), "will") { QoS = 3 } });

    [Theory, InlineData(V311, 0x08), InlineData(V311, 0x10), InlineData(V311, 0x20), InlineData(V5, 0x08), InlineData(V5, 0x10), InlineData(V5, 0x20)]
    [Statement(V311, "MQTT-3.1.2-11", "MQTT-3.1.2-13", "MQTT-3.1.2-15", "MQTT-3.1.4-1")]
    [Statement(V5, "MQTT-3.1.2-11", "MQTT-3.1.2-13", "MQTT-3.1.4-1")]
    public Task Its_flags_without_a_will_are_malformed(MqttVersion version, byte flag) => ExpectRefusedAsync(new Connect(version, NewClientId()) { WrongFlags = flag });

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-3.1.2-9", "MQTT-3.1.4-1")]
    [Statement(V5, "MQTT-3.1.2-9", "MQTT-3.1.4-1")]
    public Task A_will_flag_without_a_will_is_malformed(MqttVersion version) => ExpectRefusedAsync(new Connect(version, NewClientId()) { WrongFlags = 0x04 });

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-3.1.2-8")]
    [Statement(V5, "MQTT-3.1.2-7")]
    public async Task That_of_a_refused_connection_is_not_published(MqttVersion version)
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(version, topic, 1);
        await ExpectRefusedAsync(new Connect(version, NewClientId()) { Will = new(topic, "will"), WrongFlags = 1 });
        await PublishAsync(topic, 1, "no will before");
        Assert.Equal("no will before", await subscriber.ReceiveTextAsync());
    }

    [Fact]
    [Statement(V5, "section 3.1.3.2.2")]
    public Task A_delay_that_is_sent_twice_is_a_protocol_error() => ExpectRefusedAsync(
        new Connect(V5, NewClientId()) { Will = new(NewTopic(), "will") { Properties = new() { { PropertyId.WillDelay, 1 }, { PropertyId.WillDelay, 1 } } } });
}
