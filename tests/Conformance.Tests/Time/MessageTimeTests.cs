namespace OrleansMqtt.Conformance.Tests.Time;

/// <summary>The Message Expiry Interval of messages that wait, to the millisecond.</summary>
public sealed class MessageTimeTests : ClockTests
{
    private const string Topic = "messages";

    [Theory, InlineData(1, false), InlineData(2, false), InlineData(1, true)]
    [Statement(V5, "MQTT-3.3.2-5", "MQTT-3.3.2-6")]
    public async Task A_message_that_waits_for_its_client_has_what_is_left_of_its_interval_until_nothing_is(int qoS, bool isServerDown)
    {
        var (sooner, later) = (Connect.Durable(V5, "sooner"), Connect.Durable(V5, "later"));
        await (await SubscribeAsync(sooner, Topic, qoS)).DisconnectAsync();
        await (await SubscribeAsync(later, Topic, qoS)).DisconnectAsync();
        await PublishAsync(Expiring("short", 60) with { QoS = qoS });
        await PublishAsync(Expiring("long", 100) with { QoS = qoS });
        await PublishAsync(Topic, qoS, "without");
        if (isServerDown)
        {
            await Server.StopAsync();
        }

        Pass(Minute - Instant);
        if (isServerDown)
        {
            await Server.StartAsync();
        }

        var client = await ConnectAsync(sooner);
        Assert.Equal([("short", 1u), ("long", 41u), ("without", null)], (await client.ReceiveMessagesAsync(3)).Select(WithInterval));
        Pass(Instant);
        client = await ConnectAsync(later);
        Assert.Equal([("long", 40u), ("without", null)], (await client.ReceiveMessagesAsync(2)).Select(WithInterval));
        await client.ExpectNothingAsync();
    }

    [Fact]
    [Statement(V5, "MQTT-3.3.2-5", "MQTT-3.3.2-6")]
    public async Task A_retained_message_has_what_is_left_of_its_interval_until_nothing_is()
    {
        await PublishAsync(Expiring("retained", 60) with { IsRetained = true });
        Pass(Minute - Instant);
        var sooner = await SubscribeAsync(V5, Topic, 1);
        Assert.Equal(("retained", 1u), WithInterval(await sooner.ReceiveAsync<Publish>()));
        Pass(Instant);
        var later = await SubscribeAsync(V5, Topic, 1);
        await PublishAsync(Topic, 1, "live");
        Assert.Equal("live", await later.ReceiveTextAsync());
    }

    private static Publish Expiring(string payload, uint seconds) => new(Topic, payload) { QoS = 1, Properties = new() { { PropertyId.MessageExpiry, seconds } } };

    private static (string Payload, uint? Left) WithInterval(Publish message) => (message.Payload, message.Properties.Number(PropertyId.MessageExpiry));
}
