namespace OrleansMqtt.Conformance.Tests.Sessions;

/// <summary>How long a session lives after its connection: the Session Expiry Interval of CONNECT.</summary>
public sealed class SessionExpiryTests(ConformanceServer server) : ConformanceTests(server)
{
    [Theory, InlineData(true), InlineData(false)]
    [Statement(V5, "section 3.1.2.11.2", "MQTT-4.1.0-2")]
    public async Task With_an_interval_of_zero_or_none_the_session_ends_with_a_normal_disconnect(bool isSent)
    {
        var connect = Connect.Durable(V5, NewClientId(), expiry: 0);
        await (await ConnectAsync(isSent ? connect : connect with { Properties = [] })).DisconnectAsync();
        Assert.False((await ConnectAsync(connect)).ConnAck.IsSessionPresent);
    }

    [Fact]
    [Statement(V5, "section 3.1.2.11.2", "MQTT-4.1.0-2")]
    public async Task With_an_interval_of_zero_the_session_ends_with_a_lost_connection()
    {
        var connect = Connect.Durable(V5, NewClientId(), expiry: 0);
        (await ConnectAsync(connect)).Drop();
        Assert.False((await ConnectAsync(connect)).ConnAck.IsSessionPresent);
    }

    [Fact]
    [Statement(V5, "section 3.1.2.11.2", "MQTT-3.1.2-23", "MQTT-4.1.0-2")]
    public async Task Sessions_end_when_their_interval_has_passed_and_not_before()
    {
        var intervals = new uint[] { 1, 60, uint.MaxValue };
        var connects = intervals.Select(interval => Connect.Durable(V5, NewClientId(), interval)).ToList();
        foreach (var connect in connects)
        {
            await (await ConnectAsync(connect)).DisconnectAsync();
            Assert.True((await ConnectAsync(connect)).ConnAck.IsSessionPresent);
            await ReconnectAndLeaveAsync(connect);
        }

        await PassThreeSecondsAsync();
        Assert.False((await ConnectAsync(connects[0])).ConnAck.IsSessionPresent);
        Assert.True((await ConnectAsync(connects[1])).ConnAck.IsSessionPresent);
        Assert.True((await ConnectAsync(connects[2])).ConnAck.IsSessionPresent);
    }

    [Fact]
    [Statement(V5, "MQTT-3.1.2-23")]
    public async Task Messages_for_a_session_whose_interval_has_passed_are_gone_with_it()
    {
        var (connect, topic) = (Connect.Durable(V5, NewClientId(), expiry: 1), NewTopic());
        await (await SubscribeAsync(connect, topic, 1)).DisconnectAsync();
        await PublishAsync(topic, 1, "for the session that ends");
        await PassThreeSecondsAsync();

        var client = await ConnectAsync(connect);
        Assert.False(client.ConnAck.IsSessionPresent);
        await client.ExpectNothingAsync();
        await client.SubscribeAsync(topic, 1);
        await PublishAsync(topic, 1, "for the new session");
        Assert.Equal("for the new session", await client.ReceiveTextAsync());
    }

    [Fact]
    [Statement(V5, "MQTT-4.1.0-1", "section 3.1.2.11.2")]
    public async Task The_interval_begins_when_the_connection_closes()
    {
        var connect = Connect.Durable(V5, NewClientId(), expiry: 2);
        var client = await ConnectAsync(connect);
        await PassThreeSecondsAsync();
        await client.DisconnectAsync();
        Assert.True((await ConnectAsync(connect)).ConnAck.IsSessionPresent);
    }

    [Fact]
    [Statement(V5, "section 3.1.2.11.2", "MQTT-4.1.0-2")]
    public async Task The_interval_of_the_latest_connection_counts()
    {
        var connect = Connect.Durable(V5, NewClientId());
        await (await ConnectAsync(connect)).DisconnectAsync();
        var withNone = await ConnectAsync(connect with { Properties = [] });
        Assert.True(withNone.ConnAck.IsSessionPresent);
        await withNone.DisconnectAsync();
        Assert.False((await ConnectAsync(connect)).ConnAck.IsSessionPresent);
    }

    [Fact]
    [Statement(V5, "section 3.1.2.11.2")]
    public Task An_interval_that_is_sent_twice_is_a_protocol_error() => ExpectRefusedAsync(Connect.Durable(V5, NewClientId()).With(PropertyId.SessionExpiry, 10));
}
