namespace OrleansMqtt.Conformance.Tests.Sessions;

/// <summary>Clean Session and Clean Start, and Session Present in CONNACK.</summary>
public sealed class SessionStartTests(ConformanceServer server) : ConformanceTests(server)
{
    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-3.1.2-4", "MQTT-3.1.4-3", "MQTT-3.1.4-4", "MQTT-3.2.2-3")]
    [Statement(V5, "MQTT-3.1.2-6", "MQTT-3.1.4-4", "MQTT-3.1.4-5", "MQTT-3.2.2-3")]
    public async Task A_first_connection_that_wants_a_session_makes_one_and_learns_that_none_was_present(MqttVersion version)
    {
        var client = await ConnectAsync(Connect.Durable(version, NewClientId()));
        Assert.False(client.ConnAck.IsSessionPresent);
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-3.1.2-4", "MQTT-3.2.2-2")]
    [Statement(V5, "MQTT-3.1.2-5", "MQTT-3.1.2-23", "MQTT-3.2.2-3")]
    public async Task A_client_that_comes_back_learns_that_its_session_is_present(MqttVersion version)
    {
        var connect = Connect.Durable(version, NewClientId());
        for (var i = 0; i < 3; i++)
        {
            var client = await ConnectAsync(connect);
            Assert.Equal(i > 0, client.ConnAck.IsSessionPresent);
            await client.DisconnectAsync();
        }
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-3.1.2-4", "MQTT-3.2.2-2")]
    [Statement(V5, "MQTT-3.1.2-5", "MQTT-3.1.2-23", "MQTT-3.2.2-3")]
    public async Task A_lost_connection_leaves_the_session_behind(MqttVersion version)
    {
        var connect = Connect.Durable(version, NewClientId());
        (await ConnectAsync(connect)).Drop();
        Assert.True((await ConnectAsync(connect)).ConnAck.IsSessionPresent);
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-3.1.2-4", "MQTT-3.1.2-24", "MQTT-4.8.0-1")]
    [Statement(V5, "MQTT-3.1.2-5", "MQTT-3.1.2-22", "MQTT-3.1.2-23", "MQTT-4.13.1-1")]
    public async Task A_connection_that_the_server_closed_leaves_the_session_behind(MqttVersion version)
    {
        var (malformed, silent) = (Connect.Durable(version, NewClientId()), Connect.Durable(version, NewClientId()) with { KeepAlive = 1 });
        var client = await ConnectAsync(malformed);
        await client.SendAsync([0xE1, 0]);
        await client.ReceiveCloseAsync();
        Assert.True((await ConnectAsync(malformed)).ConnAck.IsSessionPresent);
        await (await ConnectAsync(silent)).ReceiveCloseAsync();
        Assert.True((await ConnectAsync(silent)).ConnAck.IsSessionPresent);
    }

    [Theory, InlineData(0x04), InlineData(0x80)]
    [Statement(V5, "MQTT-3.1.2-5", "MQTT-3.1.2-23", "section 3.14.2.1")]
    public async Task DISCONNECT_with_another_reason_leaves_the_session_behind(byte code)
    {
        var connect = Connect.Durable(V5, NewClientId());
        await (await ConnectAsync(connect)).DisconnectAsync(code);
        Assert.True((await ConnectAsync(connect)).ConnAck.IsSessionPresent);
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-3.1.2-6", "MQTT-3.2.2-1")]
    [Statement(V5, "MQTT-3.1.2-4", "MQTT-3.2.2-2")]
    public async Task A_clean_start_discards_the_subscriptions_and_the_messages_of_the_session(MqttVersion version)
    {
        var (connect, topic) = (Connect.Durable(version, NewClientId()), NewTopic());
        var before = await SubscribeAsync(connect, topic, 1);
        await before.DisconnectAsync();
        await PublishAsync(topic, 1, "for the session that is discarded");

        var after = await ConnectAsync(connect with { IsCleanStart = true });
        Assert.False(after.ConnAck.IsSessionPresent);
        var witness = await SubscribeAsync(V5, topic, 0);
        await PublishAsync(topic, 1, "without a subscription");
        Assert.Equal("without a subscription", await witness.ReceiveTextAsync());
        await after.ExpectNothingAsync();
        await after.SubscribeAsync(topic, 1);
        await PublishAsync(topic, 1, "for the new session");
        Assert.Equal("for the new session", await after.ReceiveTextAsync());
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-3.1.2-6", "MQTT-3.2.2-3")]
    [Statement(V5, "MQTT-3.1.2-4", "MQTT-3.1.2-6", "MQTT-3.2.2-3", "MQTT-4.1.0-2")]
    public async Task Nothing_of_a_clean_session_is_reused_after_its_connection(MqttVersion version)
    {
        var (connect, topic) = (Connect.Durable(version, NewClientId()), NewTopic());
        var clean = await SubscribeAsync(new Connect(version, connect.ClientId), topic, 1);
        await clean.DisconnectAsync();

        var after = await ConnectAsync(connect);
        Assert.False(after.ConnAck.IsSessionPresent);
        var witness = await SubscribeAsync(V5, topic, 0);
        await PublishAsync(topic, 1, "without a subscription");
        Assert.Equal("without a subscription", await witness.ReceiveTextAsync());
        await after.ExpectNothingAsync();
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-3.1.2-6")]
    [Statement(V5, "MQTT-3.1.2-4", "MQTT-4.1.0-2")]
    public async Task A_session_that_a_clean_one_replaced_does_not_come_back(MqttVersion version)
    {
        var connect = Connect.Durable(version, NewClientId());
        await (await ConnectAsync(connect)).DisconnectAsync();
        await (await ConnectAsync(new Connect(version, connect.ClientId))).DisconnectAsync();
        Assert.False((await ConnectAsync(connect)).ConnAck.IsSessionPresent);
    }

    [Fact]
    [Statement(V5, "MQTT-3.1.2-4", "MQTT-3.1.2-23")]
    public async Task A_session_that_began_with_a_clean_start_outlives_its_connection_when_it_has_an_expiry_interval()
    {
        var connect = Connect.Durable(V5, NewClientId());
        await (await ConnectAsync(connect with { IsCleanStart = true })).DisconnectAsync();
        Assert.True((await ConnectAsync(connect)).ConnAck.IsSessionPresent);
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-3.1.3-2")]
    [Statement(V5, "MQTT-3.1.3-2")]
    public async Task A_session_belongs_to_its_client_identifier_alone(MqttVersion version)
    {
        var connect = Connect.Durable(version, NewClientId());
        await (await ConnectAsync(connect)).DisconnectAsync();
        Assert.False((await ConnectAsync(connect with { ClientId = connect.ClientId.ToUpperInvariant() })).ConnAck.IsSessionPresent);
        Assert.False((await ConnectAsync(connect with { ClientId = connect.ClientId[..^1] })).ConnAck.IsSessionPresent);
        Assert.True((await ConnectAsync(connect)).ConnAck.IsSessionPresent);
    }

    [Fact]
    [Statement(V311, "MQTT-3.1.3-8", "MQTT-3.2.2-4", "MQTT-3.2.2-5")]
    public async Task A_session_needs_a_client_identifier_in_MQTT_3_1_1()
    {
        var client = await OpenAsync(V311);
        await client.SendAsync(Connect.Durable(V311, "").Encode());
        var answer = await client.ReceiveAsync<ConnAck>();
        Assert.Equal((false, (byte)2), (answer.IsSessionPresent, answer.Code));
        Assert.Null(await client.ReadAsync());
    }

    [Fact]
    [Statement(V5, "MQTT-3.1.3-6", "MQTT-3.1.3-7", "MQTT-3.2.2-16")]
    public async Task A_client_identifier_that_the_server_assigned_is_unused_and_names_the_session_from_then_on()
    {
        var first = await ConnectAsync(Connect.Durable(V5, ""));
        var second = await ConnectAsync(Connect.Durable(V5, ""));
        var clientId = first.ConnAck.Properties.Text(PropertyId.AssignedClientId);
        Assert.NotNull(clientId);
        Assert.NotEqual(clientId, second.ConnAck.Properties.Text(PropertyId.AssignedClientId));
        Assert.False(first.ConnAck.IsSessionPresent);
        await first.DisconnectAsync();
        Assert.True((await ConnectAsync(Connect.Durable(V5, clientId))).ConnAck.IsSessionPresent);
    }

    [Fact]
    [Statement(V5, "MQTT-3.2.2-6", "MQTT-3.2.2-7")]
    public async Task A_refused_connection_reports_no_session_and_leaves_the_session_as_it_is()
    {
        var connect = Connect.Durable(V5, NewClientId());
        await (await ConnectAsync(connect)).DisconnectAsync();
        await ExpectRefusedAsync(connect.With(PropertyId.ReceiveMaximum, 0));
        Assert.True((await ConnectAsync(connect)).ConnAck.IsSessionPresent);
    }
}
