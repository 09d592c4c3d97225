namespace OrleansMqtt.Conformance.Tests.Sessions;

/// <summary>The Session Expiry Interval of DISCONNECT, which replaces that of CONNECT.</summary>
public sealed class SessionExpiryOnDisconnectTests(ConformanceServer server) : ConformanceTests(server)
{
    [Fact]
    [Statement(V5, "section 3.14.2.2.2", "MQTT-4.1.0-2")]
    public async Task An_interval_of_zero_ends_the_session_at_once()
    {
        var connect = Connect.Durable(V5, NewClientId());
        await (await ConnectAsync(connect)).DisconnectAsync(0, new() { { PropertyId.SessionExpiry, 0 } });
        Assert.False((await ConnectAsync(connect)).ConnAck.IsSessionPresent);
    }

    [Fact]
    [Statement(V5, "section 3.14.2.2.2", "MQTT-3.1.2-23", "MQTT-4.1.0-2")]
    public async Task A_new_interval_makes_the_life_of_the_session_shorter_or_longer()
    {
        var (shorter, longer) = (Connect.Durable(V5, NewClientId(), expiry: 3600), Connect.Durable(V5, NewClientId(), expiry: 1));
        await (await ConnectAsync(shorter)).DisconnectAsync(0, new() { { PropertyId.SessionExpiry, 1 } });
        await (await ConnectAsync(longer)).DisconnectAsync(0, new() { { PropertyId.SessionExpiry, 3600 } });
        await PassThreeSecondsAsync();
        Assert.False((await ConnectAsync(shorter)).ConnAck.IsSessionPresent);
        Assert.True((await ConnectAsync(longer)).ConnAck.IsSessionPresent);
    }

    [Theory, InlineData(true), InlineData(false)]
    [Statement(V5, "section 3.14.2.2.2", "MQTT-4.13.1-1")]
    public async Task An_interval_on_DISCONNECT_after_none_on_CONNECT_is_a_protocol_error(bool isZeroSent)
    {
        var connect = Connect.Durable(V5, NewClientId(), expiry: 0);
        var client = await ConnectAsync(isZeroSent ? connect : connect with { Properties = [] });
        await client.SendAsync(new Disconnect(0, new() { { PropertyId.SessionExpiry, 3600 } }).Encode(V5));
        await client.ExpectCloseAsync(0x82);
        Assert.False((await ConnectAsync(connect)).ConnAck.IsSessionPresent);
    }

    [Fact]
    [Statement(V5, "section 3.14.2.2.2", "MQTT-3.1.2-8")]
    public async Task The_protocol_error_is_no_valid_DISCONNECT_so_that_the_will_is_published()
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(V5, topic, 1);
        var client = await ConnectAsync(new Connect(V5, NewClientId()) { Will = new(topic, "will") });
        await client.SendAsync(new Disconnect(0, new() { { PropertyId.SessionExpiry, 3600 } }).Encode(V5));
        Assert.Equal("will", await subscriber.ReceiveTextAsync());
    }

    [Fact]
    [Statement(V5, "section 3.14.2.2.2")]
    public async Task An_interval_of_zero_may_be_repeated_on_DISCONNECT()
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(V5, topic, 1);
        var connect = new Connect(V5, NewClientId()) { Will = new(topic, "will") };
        await (await ConnectAsync(connect)).DisconnectAsync(0, new() { { PropertyId.SessionExpiry, 0 } });
        await ReconnectAndLeaveAsync(connect);
        await PublishAsync(topic, 1, "no will before");
        Assert.Equal("no will before", await subscriber.ReceiveTextAsync());
    }
}
