using System.Diagnostics;

namespace OrleansMqtt.Conformance.Tests.Wills;

/// <summary>The Will Delay Interval.</summary>
public sealed class WillDelayTests(ConformanceServer server) : ConformanceTests(server)
{
    private static readonly TimeSpan Latest = TimeSpan.FromSeconds(1);

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
        await ExpectInTimeAsync(subscriber, topic, "will", watch, delay: 2);
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
        await ExpectInTimeAsync(subscriber, topic, "will", watch, delay: 2);
    }

    [Fact]
    [Statement(V5, "MQTT-3.1.2-8", "section 3.1.3.2.2")]
    public async Task The_will_is_published_at_once_when_the_session_ends_with_the_connection()
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(V5, topic, 1);
        var client = await ConnectAsync(new Connect(V5, NewClientId()) { Will = Will.Delayed(topic, "will", 3600) });
        var watch = Stopwatch.StartNew();
        client.Drop();
        await ExpectInTimeAsync(subscriber, topic, "will", watch, delay: 0);
    }

    [Fact]
    [Statement(V5, "MQTT-3.1.2-8", "section 3.1.3.2.2", "section 3.14.2.2.2")]
    public async Task The_will_is_published_at_once_when_DISCONNECT_ends_the_session()
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(V5, topic, 1);
        var client = await ConnectAsync(Connect.Durable(V5, NewClientId()) with { Will = Will.Delayed(topic, "will", 3600) });
        var watch = Stopwatch.StartNew();
        await client.DisconnectAsync(0x04, new() { { PropertyId.SessionExpiry, 0 } });
        await ExpectInTimeAsync(subscriber, topic, "will", watch, delay: 0);
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
        await ExpectInTimeAsync(subscriber, topic, "will", watch, delay: 2);
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
        await ExpectInTimeAsync(subscriber, topic, "second", watch, delay: 2);
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

    /// <summary>The will comes after its delay, and at most a second later. On a busy machine it may arrive behind that, but not behind what is published at that moment.</summary>
    private async Task ExpectInTimeAsync(Client subscriber, string topic, string will, Stopwatch sinceEnd, int delay)
    {
        var due = TimeSpan.FromSeconds(delay);
        var receiving = subscriber.ReceiveTextAsync();
        var left = due + Latest - sinceEnd.Elapsed;
        var isInTime = await Task.WhenAny(receiving, Task.Delay(left > TimeSpan.Zero ? left : TimeSpan.Zero)) == receiving;
        if (!isInTime)
        {
            await PublishAsync(topic, 1, "too late");
        }

        Assert.Equal(will, await receiving);
        var elapsed = sinceEnd.Elapsed;
        TestContext.Current.TestOutputHelper!.WriteLine($"'{will}' came {elapsed - due} after it was due.");

        // The server counts in milliseconds.
        Assert.True(elapsed >= due - TimeSpan.FromMilliseconds(2), $"{will} came after {elapsed} instead of {due}.");
        if (!isInTime)
        {
            Assert.Equal("too late", await subscriber.ReceiveTextAsync());
        }
    }
}
