namespace OrleansMqtt.Conformance.Tests.Connections;

/// <summary>DISCONNECT, and packets that end a connection.</summary>
public sealed class DisconnectTests(ConformanceServer server) : ConformanceTests(server)
{
    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "section 3.14.4")]
    [Statement(V5, "section 3.14.4", "MQTT-3.14.4-2")]
    public async Task The_server_closes_the_connection_after_it_if_the_client_does_not(MqttVersion version)
    {
        var client = await ConnectAsync(version);
        await client.SendAsync([0xE0, 0]);
        Assert.Null(await client.ReadAsync());
    }

    [Theory]
    [InlineData(new byte[] { 0xE0, 1, 0 })]
    [InlineData(new byte[] { 0xE0, 2, 0, 0 })]
    [Statement(V5, "section 3.14.2.1", "MQTT-3.14.4-3")]
    public async Task It_is_a_normal_one_in_each_of_its_forms(byte[] packet)
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(V5, topic, 1);
        var connect = new Connect(V5, NewClientId()) { Will = new(topic, "will") };
        var client = await ConnectAsync(connect);
        await client.SendAsync(packet);
        Assert.Null(await client.ReadAsync());
        await ReconnectAndLeaveAsync(connect);
        await PublishAsync(topic, 1, "no will before");
        Assert.Equal("no will before", await subscriber.ReceiveTextAsync());
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-3.14.1-1", "MQTT-2.2.2-2")]
    [Statement(V5, "MQTT-3.14.1-1", "MQTT-4.13.1-1")]
    public async Task With_reserved_flags_it_is_malformed(MqttVersion version)
    {
        var client = await ConnectAsync(version);
        await client.SendAsync([0xE2, 0]);
        await client.ExpectCloseAsync(0x81);
    }

    [Theory]
    [InlineData(new byte[] { 0xE0, 7, 0, 5, 0x11, 0, 0, 0, 1 }, 0x82)]
    [InlineData(new byte[] { 0xE0, 12, 0, 10, 0x11, 0, 0, 0, 1, 0x11, 0, 0, 0, 1 }, 0x82)]
    [InlineData(new byte[] { 0xE0, 5, 0, 3, 0x21, 0, 1 }, 0)]
    [InlineData(new byte[] { 0xE0, 3, 0, 5, 0x11 }, 0x81)]
    [Statement(V5, "section 3.14.2.2", "MQTT-4.13.1-1", "MQTT-4.13.2-1")]
    public async Task With_wrong_properties_it_is_an_error_and_the_will_is_published(byte[] packet, byte code)
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(V5, topic, 1);
        var client = await ConnectAsync(new Connect(V5, NewClientId()) { Will = new(topic, "will") });
        await client.SendAsync(packet);
        var reason = await client.ReceiveCloseAsync();

        // A property of another packet may be called malformed or a protocol error.
        Assert.Contains(reason?.Code ?? 0, code is 0 ? [0x81, 0x82] : new byte[] { code });
        Assert.Equal("will", await subscriber.ReceiveTextAsync());
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-3.1.0-2", "MQTT-4.8.0-1")]
    [Statement(V5, "MQTT-3.1.0-2", "MQTT-3.2.0-2", "MQTT-4.13.1-1")]
    public async Task A_second_CONNECT_is_a_protocol_error(MqttVersion version)
    {
        var connect = new Connect(version, NewClientId());
        var client = await ConnectAsync(connect);
        await client.SendAsync(connect.Encode());
        await client.ExpectCloseAsync(0x82);
    }

    [Theory]
    [InlineData(V311, new byte[] { 0xC0, 0 }), InlineData(V311, new byte[] { 0xE0, 0 }), InlineData(V311, new byte[] { 0x40, 2, 0, 1 })]
    [InlineData(V5, new byte[] { 0xC0, 0 }), InlineData(V5, new byte[] { 0xE0, 0 }), InlineData(V5, new byte[] { 0x40, 2, 0, 1 })]
    [Statement(V311, "MQTT-3.1.0-1", "MQTT-3.2.0-1")]
    [Statement(V5, "MQTT-3.1.0-1", "MQTT-3.2.0-1", "MQTT-3.14.0-1")]
    public async Task Before_CONNECT_any_other_packet_closes_the_connection_without_DISCONNECT(MqttVersion version, byte[] packet)
    {
        var client = await OpenAsync(version);
        await client.SendAsync(packet);
        Assert.Null(await client.ReadAsync());
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-3.1.2-3", "MQTT-3.1.4-1")]
    [Statement(V5, "MQTT-3.1.2-3", "MQTT-3.1.4-1", "MQTT-3.14.0-1")]
    public Task CONNECT_with_the_reserved_flag_is_malformed(MqttVersion version) => ExpectRefusedAsync(new Connect(version, NewClientId()) { WrongFlags = 1 });

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-3.1.4-5")]
    [Statement(V5, "MQTT-3.1.4-6")]
    public async Task What_follows_a_refused_CONNECT_is_not_processed(MqttVersion version)
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(version, topic, 1);
        var client = await OpenAsync(version);
        await client.SendAsync(new Connect(version, NewClientId()) { WrongFlags = 1 }.Encode(), new Publish(topic, "not processed").Encode(version));
        await client.ReceiveCloseAsync();
        await PublishAsync(topic, 1, "next");
        Assert.Equal("next", await subscriber.ReceiveTextAsync());
    }
}
