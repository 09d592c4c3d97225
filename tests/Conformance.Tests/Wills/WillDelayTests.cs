using System.Diagnostics;

namespace OrleansMqtt.Conformance.Tests.Wills;

/// <summary>The Will Delay Interval.</summary>
public sealed class WillDelayTests(ConformanceServer server) : ConformanceTests(server)
{
    private static readonly TimeSpan WithinLimit = TimeSpan.FromSeconds(4);

    [Theory, InlineData(3600u), InlineData(uint.MaxValue)]
    [Statement(V5, "MQTT-3.1.2-8", "section 3.1.3.2.2")]
    public async Task The_will_is_published_once_when_the_delay_has_passed(uint expiry)
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(V5, topic, 1);
        var connect = Connect.Durable(V5, NewClientId(), expiry) with { Will = Will.Delayed(topic, "will", 2) };
        var client = await ConnectAsync(connect);
        var watch = Stopwatch.StartNew();
        client.Drop();
        Assert.Equal("will", await subscriber.ReceiveTextAsync());
        Assert.InRange(watch.Elapsed, TimeSpan.FromSeconds(1.9), TimeSpan.FromSeconds(2) + WithinLimit);
        await ReconnectAndLeaveAsync(connect);
        await PublishAsync(topic, 1, "no will before");
        Assert.Equal("no will before", await subscriber.ReceiveTextAsync());
    }

    [Fact]
    [Statement(V5, "MQTT-3.1.2-8", "section 3.14.2.1")]
    public async Task It_holds_after_DISCONNECT_with_a_will()
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(V5, topic, 1);
        var client = await ConnectAsync(Connect.Durable(V5, NewClientId()) with { Will = Will.Delayed(topic, "will", 2) });
        var watch = Stopwatch.StartNew();
        await client.DisconnectAsync(0x04);
        Assert.Equal("will", await subscriber.ReceiveTextAsync());
        Assert.InRange(watch.Elapsed, TimeSpan.FromSeconds(1.9), TimeSpan.FromSeconds(2) + WithinLimit);
    }

    [Fact]
    [Statement(V5, "MQTT-3.1.2-8", "section 3.1.3.2.2")]
    public async Task The_will_is_published_at_once_when_the_session_ends_with_the_connection()
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(V5, topic, 1);
        (await ConnectAsync(new Connect(V5, NewClientId()) { Will = Will.Delayed(topic, "will", 3600) })).Drop();
        Assert.Equal("will", await subscriber.ReceiveTextAsync());
    }

    [Fact]
    [Statement(V5, "MQTT-3.1.2-8", "section 3.1.3.2.2", "section 3.14.2.2.2")]
    public async Task The_will_is_published_at_once_when_DISCONNECT_ends_the_session()
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(V5, topic, 1);
        var client = await ConnectAsync(Connect.Durable(V5, NewClientId()) with { Will = Will.Delayed(topic, "will", 3600) });
        await client.DisconnectAsync(0x04, new() { { PropertyId.SessionExpiry, 0 } });
        Assert.Equal("will", await subscriber.ReceiveTextAsync());
    }

    [Fact]
    [Statement(V5, "MQTT-3.1.2-8", "section 3.1.3.2.2", "MQTT-4.1.0-2")]
    public async Task The_will_is_published_once_when_the_session_ends_before_the_delay()
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(V5, topic, 1);
        var connect = Connect.Durable(V5, NewClientId(), expiry: 2) with { Will = Will.Delayed(topic, "will", 3600) };
        var client = await ConnectAsync(connect);
        var watch = Stopwatch.StartNew();
        client.Drop();
        Assert.Equal("will", await subscriber.ReceiveTextAsync());
        Assert.InRange(watch.Elapsed, TimeSpan.FromSeconds(1.9), TimeSpan.FromSeconds(2) + WithinLimit);
        Assert.False((await ConnectAsync(connect with { Will = null })).ConnAck.IsSessionPresent);
        await PublishAsync(topic, 1, "no will before");
        Assert.Equal("no will before", await subscriber.ReceiveTextAsync());
    }

    [Fact]
    [Statement(V5, "MQTT-3.1.3-9", "MQTT-3.1.2-8")]
    public async Task A_client_that_comes_back_in_time_cancels_the_will()
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(V5, topic, 1);
        var connect = Connect.Durable(V5, NewClientId()) with { Will = Will.Delayed(topic, "cancelled", 2) };
        (await ConnectAsync(connect)).Drop();
        Assert.True((await ConnectAsync(connect with { Will = null })).ConnAck.IsSessionPresent);
        await PassThreeSecondsAsync();
        await PublishAsync(topic, 1, "no will before");
        Assert.Equal("no will before", await subscriber.ReceiveTextAsync());
    }

    [Fact]
    [Statement(V5, "MQTT-3.1.3-9", "MQTT-3.1.2-8")]
    public async Task A_client_that_comes_back_and_leaves_normally_has_cancelled_the_will_for_good()
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(V5, topic, 1);
        var connect = Connect.Durable(V5, NewClientId()) with { Will = Will.Delayed(topic, "cancelled", 2) };
        (await ConnectAsync(connect)).Drop();
        await (await ConnectAsync(connect)).DisconnectAsync();
        await PassThreeSecondsAsync();
        await PublishAsync(topic, 1, "no will before");
        Assert.Equal("no will before", await subscriber.ReceiveTextAsync());
    }

    [Fact]
    [Statement(V5, "MQTT-3.1.3-9", "MQTT-3.1.2-8")]
    public async Task A_client_that_is_lost_again_has_only_its_latest_will_published()
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(V5, topic, 1);
        var connect = Connect.Durable(V5, NewClientId());
        (await ConnectAsync(connect with { Will = Will.Delayed(topic, "first", 1) })).Drop();
        var second = await ConnectAsync(connect with { Will = Will.Delayed(topic, "second", 2) });
        var watch = Stopwatch.StartNew();
        second.Drop();
        Assert.Equal("second", await subscriber.ReceiveTextAsync());
        Assert.InRange(watch.Elapsed, TimeSpan.FromSeconds(1.9), TimeSpan.FromSeconds(2) + WithinLimit);
    }

    [Fact]
    [Statement(V5, "MQTT-3.14.4-3", "MQTT-3.1.2-10")]
    public async Task A_normal_DISCONNECT_discards_a_delayed_will_too()
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(V5, topic, 1);
        await (await ConnectAsync(Connect.Durable(V5, NewClientId()) with { Will = Will.Delayed(topic, "discarded", 1) })).DisconnectAsync();
        await (await ConnectAsync(Connect.Durable(V5, NewClientId(), expiry: 1) with { Will = Will.Delayed(topic, "discarded", 3600) })).DisconnectAsync();
        await PassThreeSecondsAsync();
        await PublishAsync(topic, 1, "no will before");
        Assert.Equal("no will before", await subscriber.ReceiveTextAsync());
    }

    [Fact]
    [Statement(V5, "section 3.1.3.2.4", "MQTT-3.3.2-6")]
    public async Task The_delay_is_not_taken_from_the_expiry_interval_of_the_will()
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(V5, topic, 1);
        var will = new Will(topic, "will") { Properties = new() { { PropertyId.WillDelay, 2 }, { PropertyId.MessageExpiry, 1000 } } };
        (await ConnectAsync(Connect.Durable(V5, NewClientId()) with { Will = will })).Drop();
        Assert.InRange((await subscriber.ReceiveAsync<Publish>()).Properties.Number(PropertyId.MessageExpiry) ?? 0, 999u, 1000u);
    }
}
