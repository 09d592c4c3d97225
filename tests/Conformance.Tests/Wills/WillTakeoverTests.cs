namespace OrleansMqtt.Conformance.Tests.Wills;

/// <summary>The will of a connection that another one with its client identifier takes over (section 3.1.4).</summary>
public sealed class WillTakeoverTests(ConformanceServer server) : ConformanceTests(server)
{
    [Theory, InlineData(true), InlineData(false)]
    [Statement(V311, "MQTT-3.1.2-8", "MQTT-3.1.4-2")]
    public async Task In_MQTT_3_1_1_it_is_published_because_the_connection_is_closed(bool isClean)
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(V311, topic, 1);
        var connect = Connect.Durable(V311, NewClientId()) with { IsCleanStart = isClean };
        await ConnectAsync(connect with { Will = new(topic, "will") });
        await ExpectWillsAsync(subscriber, topic, await ConnectAsync(connect), "will");
    }

    [Theory, InlineData(true), InlineData(false)]
    [Statement(V5, "MQTT-3.1.2-8", "MQTT-3.1.4-3")]
    public async Task Without_a_delay_it_is_published_because_the_connection_is_closed(bool isCleanStart)
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(V5, topic, 1);
        var connect = Connect.Durable(V5, NewClientId());
        await ConnectAsync(connect with { Will = new(topic, "will") });
        await ExpectWillsAsync(subscriber, topic, await ConnectAsync(connect with { IsCleanStart = isCleanStart }), "will");
    }

    [Fact]
    [Statement(V5, "MQTT-3.1.3-9", "MQTT-3.1.2-8")]
    public async Task With_a_delay_it_is_not_published_when_the_session_goes_on()
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(V5, topic, 1);
        var connect = Connect.Durable(V5, NewClientId());
        await ConnectAsync(connect with { Will = Will.Delayed(topic, "cancelled", 1) });
        var winner = await ConnectAsync(connect);
        Assert.True(winner.ConnAck.IsSessionPresent);
        await PassThreeSecondsAsync();
        await ExpectWillsAsync(subscriber, topic, winner);
    }

    [Fact]
    [Statement(V5, "section 3.1.4", "MQTT-3.1.2-8")]
    public async Task With_a_delay_it_is_published_when_a_clean_start_ends_the_session()
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(V5, topic, 1);
        var connect = Connect.Durable(V5, NewClientId());
        await ConnectAsync(connect with { Will = Will.Delayed(topic, "will", 3600) });
        await ExpectWillsAsync(subscriber, topic, await ConnectAsync(connect with { IsCleanStart = true }), "will");
    }

    [Fact]
    [Statement(V5, "section 3.1.4", "MQTT-3.1.2-8")]
    public async Task With_a_delay_it_is_published_when_the_session_ends_because_its_expiry_interval_is_zero()
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(V5, topic, 1);
        var connect = Connect.Durable(V5, NewClientId());
        await ConnectAsync(connect with { Properties = [], Will = Will.Delayed(topic, "will", 3600) });
        await ExpectWillsAsync(subscriber, topic, await ConnectAsync(connect), "will");
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-3.1.2-8", "MQTT-3.1.2-10")]
    [Statement(V5, "MQTT-3.1.2-8", "MQTT-3.1.2-10")]
    public async Task The_will_of_the_winner_stays_with_the_winner(MqttVersion version)
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(version, topic, 1);
        var connect = Connect.Durable(version, NewClientId());
        var loser = await ConnectAsync(connect);
        var winner = await ConnectAsync(connect with { Will = new(topic, "will") });
        await loser.ReceiveCloseAsync();
        await PublishAsync(topic, 1, "no will before");
        Assert.Equal("no will before", await subscriber.ReceiveTextAsync());
        winner.Drop();
        Assert.Equal("will", await subscriber.ReceiveTextAsync());
    }

    /// <summary>These wills and no others arrive, also after the winner has left.</summary>
    private async Task ExpectWillsAsync(Client subscriber, string topic, Client winner, params string[] wills)
    {
        Assert.Equal(wills, await subscriber.ReceiveTextsAsync(wills.Length));
        await winner.DisconnectAsync();
        await PublishAsync(topic, 1, "no will before");
        Assert.Equal("no will before", await subscriber.ReceiveTextAsync());
    }
}
