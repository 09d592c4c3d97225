namespace OrleansMqtt.Conformance.Tests.Delivery;

/// <summary>The Maximum Packet Size of a client.</summary>
public sealed class MaximumPacketSizeTests(ConformanceServer server) : ConformanceTests(server)
{
    private static readonly string Large = new('x', 300);

    [Theory, InlineData(0), InlineData(1), InlineData(2)]
    [Statement(V5, "MQTT-3.1.2-24", "MQTT-3.1.2-25")]
    public async Task A_larger_message_is_left_out_and_the_next_one_arrives(int qoS)
    {
        var topic = NewTopic();
        var client = await SubscribeAsync(Limited(NewClientId(), 200), topic, qoS);
        await PublishAsync(topic, qoS, "1", Large, "2");
        Assert.Equal(["1", "2"], await client.ReceiveTextsAsync(2));
        await client.ExpectNothingAsync();
    }

    [Theory, InlineData(0), InlineData(1), InlineData(2)]
    [Statement(V5, "MQTT-3.1.2-24")]
    public async Task A_message_of_exactly_this_size_arrives_and_one_byte_more_is_too_much(int qoS)
    {
        var topic = NewTopic();
        var unlimited = await SubscribeAsync(V5, topic, qoS);
        var message = new string('x', 90);
        await PublishAsync(topic, qoS, message);
        var size = (await unlimited.ReceiveAsync<Publish>()).Size;
        var client = await SubscribeAsync(Limited(NewClientId(), (uint)size), topic, qoS);
        await PublishAsync(topic, qoS, message + "x", message);
        Assert.Equal(message, await client.ReceiveTextAsync());
    }

    [Theory, InlineData(1), InlineData(2)]
    [Statement(V5, "MQTT-3.1.2-25", "MQTT-3.3.4-9")]
    public async Task A_message_that_was_left_out_counts_as_sent_and_acknowledged(int qoS)
    {
        var topic = NewTopic();
        var client = await SubscribeAsync(Limited(NewClientId(), 200).With(PropertyId.ReceiveMaximum, 1), topic, qoS);
        await PublishAsync(topic, qoS, Large, "1", Large, Large, "2");
        Assert.Equal(["1", "2"], await client.ReceiveTextsAsync(2));
    }

    [Theory, InlineData(1), InlineData(2)]
    [Statement(V5, "MQTT-3.1.2-24", "MQTT-3.1.2-25")]
    public async Task Messages_that_waited_and_repetitions_are_left_out_too(int qoS)
    {
        var (clientId, topic) = (NewClientId(), NewTopic());
        var connect = Connect.Durable(V5, clientId);
        var before = await SubscribeAsync(connect, topic, qoS);
        await PublishAsync(topic, qoS, Large, "1");
        await before.ReceiveMessagesAsync(2);
        await before.DisconnectAsync();
        await PublishAsync(topic, qoS, Large, "2");

        var after = await ConnectAsync(connect.With(PropertyId.MaximumPacketSize, 200));
        Assert.Equal(["1", "2"], await after.ReceiveTextsAsync(2));
        await after.ExpectNothingAsync();
    }

    [Fact]
    [Statement(V5, "MQTT-3.1.2-24", "MQTT-3.1.2-25")]
    public async Task The_properties_of_a_message_count()
    {
        var topic = NewTopic();
        var client = await SubscribeAsync(Limited(NewClientId(), 200), topic, 1);
        await PublishAsync(new Publish(topic, "small with large properties") { QoS = 1, Properties = new() { { PropertyId.UserProperty, ("name", Large) } } });
        await PublishAsync(topic, 1, "next");
        Assert.Equal("next", await client.ReceiveTextAsync());
    }

    [Fact]
    [Statement(V5, "section 3.1.2.11.4", "MQTT-3.1.4-1")]
    public Task Zero_is_a_protocol_error() => ExpectRefusedAsync(Limited(NewClientId(), 0));

    [Fact]
    [Statement(V5, "section 3.1.2.11.4", "MQTT-3.1.4-1")]
    public Task To_send_it_twice_is_a_protocol_error() => ExpectRefusedAsync(Limited(NewClientId(), 500).With(PropertyId.MaximumPacketSize, 500));

    private static Connect Limited(string clientId, uint size) => new Connect(V5, clientId).With(PropertyId.MaximumPacketSize, size);
}
