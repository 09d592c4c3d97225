namespace OrleansMqtt.Conformance.Tests.Wills;

/// <summary>When a will without a delay is published, and when not.</summary>
public sealed class WillCauseTests(ConformanceServer server) : ConformanceTests(server)
{
    [Theory]
    [InlineData(V311, ConnectionEnd.SocketLoss), InlineData(V311, ConnectionEnd.KeepAlive), InlineData(V311, ConnectionEnd.MalformedPacket), InlineData(V311, ConnectionEnd.SecondConnect)]
    [InlineData(V311, ConnectionEnd.WrongDisconnect), InlineData(V311, ConnectionEnd.Takeover), InlineData(V5, ConnectionEnd.SocketLoss), InlineData(V5, ConnectionEnd.KeepAlive)]
    [InlineData(V5, ConnectionEnd.MalformedPacket), InlineData(V5, ConnectionEnd.SecondConnect), InlineData(V5, ConnectionEnd.WrongDisconnect), InlineData(V5, ConnectionEnd.Takeover)]
    [Statement(V311, "MQTT-3.1.2-8", "MQTT-3.1.2-10", "MQTT-3.1.2-24", "MQTT-3.1.0-2", "MQTT-3.14.1-1")]
    [Statement(V5, "MQTT-3.1.2-7", "MQTT-3.1.2-8", "MQTT-3.1.2-10", "MQTT-3.1.2-22", "MQTT-3.1.0-2", "MQTT-3.14.1-1")]
    public async Task It_is_published_once_when_the_connection_ends_without_DISCONNECT(MqttVersion version, ConnectionEnd end)
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(version, topic, 1);
        var connect = new Connect(version, NewClientId()) { Will = new(topic, "will"), KeepAlive = (ushort)(end is ConnectionEnd.KeepAlive ? 1 : 0) };
        await EndAsync(await ConnectAsync(connect), connect, end);
        var will = await subscriber.ReceiveAsync<Publish>();
        Assert.Equal((topic, "will", 1, false, false), (will.Topic, will.Payload, will.QoS, will.IsDuplicate, will.IsRetained));
        await subscriber.AcknowledgeAsync(will);
        await ExpectNoWillAsync(subscriber, connect, topic);
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-3.1.2-8")]
    [Statement(V5, "MQTT-3.1.2-8")]
    public async Task It_is_published_when_the_session_outlives_the_connection_too(MqttVersion version)
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(version, topic, 1);
        var connect = Connect.Durable(version, NewClientId()) with { Will = new(topic, "will") };
        (await ConnectAsync(connect)).Drop();
        Assert.Equal("will", await subscriber.ReceiveTextAsync());
        await ExpectNoWillAsync(subscriber, connect, topic);
    }

    [Theory, InlineData(V311, true), InlineData(V311, false), InlineData(V5, true), InlineData(V5, false)]
    [Statement(V311, "MQTT-3.14.4-3", "MQTT-3.1.2-8", "MQTT-3.1.2-10")]
    [Statement(V5, "MQTT-3.14.4-3", "MQTT-3.1.2-8", "MQTT-3.1.2-10")]
    public async Task It_is_discarded_by_a_normal_DISCONNECT(MqttVersion version, bool isDurable)
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(version, topic, 1);
        var connect = (isDurable ? Connect.Durable(version, NewClientId()) : new Connect(version, NewClientId())) with { Will = new(topic, "will") };
        await (await ConnectAsync(connect)).DisconnectAsync();
        await ExpectNoWillAsync(subscriber, connect, topic);
    }

    [Theory, InlineData(0x04), InlineData(0x80), InlineData(0x93)]
    [Statement(V5, "MQTT-3.1.2-8", "MQTT-3.1.2-10", "MQTT-3.14.2-1", "section 3.14.2.1")]
    public async Task It_is_published_once_after_DISCONNECT_with_another_reason(byte code)
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(V5, topic, 1);
        var connect = new Connect(V5, NewClientId()) { Will = new(topic, "will") };
        await (await ConnectAsync(connect)).DisconnectAsync(code);
        Assert.Equal("will", await subscriber.ReceiveTextAsync());
        await ExpectNoWillAsync(subscriber, connect, topic);
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-3.1.2-12")]
    [Statement(V5, "MQTT-3.1.2-8", "MQTT-3.1.2-10")]
    public async Task It_belongs_to_its_connection_and_not_to_the_next_one(MqttVersion version)
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(version, topic, 1);
        var connect = Connect.Durable(version, NewClientId());
        await (await ConnectAsync(connect with { Will = new(topic, "first") })).DisconnectAsync();
        (await ConnectAsync(connect with { Will = new(topic, "second") })).Drop();
        Assert.Equal("second", await subscriber.ReceiveTextAsync());
        (await ConnectAsync(connect)).Drop();
        await ExpectNoWillAsync(subscriber, connect, topic);
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-3.1.2-8", "MQTT-4.5.0-1")]
    [Statement(V5, "MQTT-3.1.2-8", "MQTT-4.5.0-1")]
    public async Task It_waits_for_subscribers_that_are_away(MqttVersion version)
    {
        var (connect, topic) = (Connect.Durable(version, NewClientId()), NewTopic());
        await (await SubscribeAsync(connect, topic, 1)).DisconnectAsync();
        var witness = await SubscribeAsync(version, topic, 0);
        (await ConnectAsync(new Connect(version, NewClientId()) { Will = new(topic, "will") })).Drop();
        Assert.Equal("will", await witness.ReceiveTextAsync());
        Assert.Equal("will", await (await ConnectAsync(connect)).ReceiveTextAsync());
    }

    /// <summary>Once the client has been back and has left again, whatever was to happen to its will has happened.</summary>
    private async Task ExpectNoWillAsync(Client subscriber, Connect connect, string topic)
    {
        await ReconnectAndLeaveAsync(connect);
        await PublishAsync(topic, 1, "no will before");
        Assert.Equal("no will before", await subscriber.ReceiveTextAsync());
    }

    private async Task EndAsync(Client client, Connect connect, ConnectionEnd end)
    {
        switch (end)
        {
            case ConnectionEnd.SocketLoss:
                client.Drop();
                break;
            case ConnectionEnd.KeepAlive:
                await client.ReceiveCloseAsync();
                break;
            case ConnectionEnd.MalformedPacket:
                await client.SendAsync([0xF7, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]);
                await client.ReceiveCloseAsync();
                break;
            case ConnectionEnd.SecondConnect:
                await client.SendAsync(connect.Encode());
                await client.ReceiveCloseAsync();
                break;
            case ConnectionEnd.WrongDisconnect:
                await client.SendAsync([0xE1, 0]);
                await client.ReceiveCloseAsync();
                break;
            default:
                await ConnectAsync(connect with { Will = null });
                await client.ReceiveCloseAsync();
                break;
        }
    }
}
