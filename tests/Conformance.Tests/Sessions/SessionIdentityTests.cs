namespace OrleansMqtt.Conformance.Tests.Sessions;

/// <summary>What belongs to one session, whatever its client is called and whichever version it speaks.</summary>
public sealed class SessionIdentityTests(ConformanceServer server) : ConformanceTests(server)
{
    [Theory]
    [InlineData(V311, "/"), InlineData(V311, "#"), InlineData(V5, "a/+/#"), InlineData(V5, "$SYS"), InlineData(V5, "\u0001\u007F"), InlineData(V5, "\uFEFFü😀"), InlineData(V5, " ")]
    [Statement(V311, "MQTT-3.1.3-2", "MQTT-3.1.3-4")]
    [Statement(V5, "MQTT-3.1.3-2", "MQTT-3.1.3-4")]
    public async Task A_client_identifier_may_hold_any_character(MqttVersion version, string characters)
    {
        var (connect, topic) = (Connect.Durable(version, $"{characters}{Guid.NewGuid():N}"), NewTopic());
        var before = await SubscribeAsync(connect, topic, 1);
        await before.DisconnectAsync();
        await PublishAsync(topic, 1, "message");
        var after = await ConnectAsync(connect);
        Assert.True(after.ConnAck.IsSessionPresent);
        Assert.Equal("message", await after.ReceiveTextAsync());
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-3.1.3-2")]
    [Statement(V5, "MQTT-3.1.3-2")]
    public async Task One_that_begins_as_another_or_differs_in_its_case_is_another(MqttVersion version)
    {
        var (clientId, topic) = ($"c{Guid.NewGuid():N}", NewTopic());
        var client = await SubscribeAsync(new Connect(version, clientId), topic, 1);
        foreach (var other in new[] { clientId[..^1], $"{clientId}/", $"{clientId} ", clientId.ToUpperInvariant() })
        {
            Assert.False((await ConnectAsync(Connect.Durable(version, other))).ConnAck.IsSessionPresent);
        }

        await client.ExpectNothingAsync();
    }

    [Theory, InlineData(V311, V5), InlineData(V5, V311)]
    [Statement(V311, "MQTT-3.1.2-4", "MQTT-4.4.0-1")]
    [Statement(V5, "MQTT-3.1.2-5", "MQTT-4.4.0-1")]
    public async Task A_session_goes_on_when_its_client_comes_back_with_the_other_version(MqttVersion first, MqttVersion second)
    {
        var (clientId, topic) = (NewClientId(), NewTopic());
        var before = await SubscribeAsync(Connect.Durable(first, clientId), topic, 2);
        await PublishAsync(topic, 1, "unacknowledged");
        await before.ReceiveAsync<Publish>();
        before.Drop();
        await PublishAsync(new Publish(topic, "waits") { QoS = 2, Properties = new() { { PropertyId.ContentType, "text/plain" }, { PropertyId.MessageExpiry, 1000 } } });

        var after = await ConnectAsync(Connect.Durable(second, clientId));
        Assert.True(after.ConnAck.IsSessionPresent);
        var repeated = await after.ReceiveAsync<Publish>();
        Assert.Equal(("unacknowledged", true), (repeated.Payload, repeated.IsDuplicate));
        await after.AcknowledgeAsync(repeated);
        var waited = await after.ReceiveAsync<Publish>();
        Assert.Equal(("waits", 2, second is V5 ? "text/plain" : null), (waited.Payload, waited.QoS, waited.Properties.Text(PropertyId.ContentType)));
        await after.AcknowledgeAsync(waited);
        await PublishAsync(topic, 2, "next");
        Assert.Equal("next", await after.ReceiveTextAsync());
    }

    [Theory, InlineData(0), InlineData(1), InlineData(2)]
    [Statement(V311, "MQTT-3.3.1-9")]
    public async Task What_an_MQTT_5_connection_has_as_published_comes_to_one_of_MQTT_3_1_1_without_the_retain_flag(int qoS)
    {
        var (clientId, topic) = (NewClientId(), NewTopic());
        var before = await ConnectAsync(Connect.Durable(V5, clientId));
        await before.SubscribeAsync(topic, qoS, otherOptions: 0x08);
        await PublishAsync(new Publish(topic, "as published") { QoS = qoS, IsRetained = true });
        Assert.True((await before.ReceiveMessagesAsync(1))[0].IsRetained);
        await before.DisconnectAsync();

        var after = await ConnectAsync(Connect.Durable(V311, clientId));
        await PublishAsync(new Publish(topic, "live") { QoS = qoS, IsRetained = true });
        var live = (await after.ReceiveMessagesAsync(qoS == 0 ? 1 : 2))[^1];
        Assert.Equal(("live", false), (live.Payload, live.IsRetained));
        await after.SubscribeAsync($"{topic}/#", qoS);
        Assert.True((await after.ReceiveMessagesAsync(1))[0].IsRetained);
    }
}
