namespace OrleansMqtt.Conformance.Tests.Time;

/// <summary>When wills are published: the Will Delay Interval and the end of the session, to the millisecond.</summary>
public sealed class WillTimeTests : ClockTests
{
    private const string Topic = "wills";

    [Theory, InlineData(60, 3600), InlineData(60, Never), InlineData(3600, 60), InlineData(Never, 60)]
    [Statement(V5, "MQTT-3.1.2-8", "MQTT-3.1.3-9", "section 3.1.3.2.2", "MQTT-4.1.0-2")]
    public async Task A_will_is_published_at_the_end_of_its_delay_or_of_its_session_unless_its_client_is_back(uint delay, uint expiry)
    {
        var subscriber = await SubscribeAsync(V5, Topic, 1);
        var (earlier, back, away) = (WithWill("earlier", delay - 1, expiry - 1), WithWill("back", delay, expiry), WithWill("away", delay, expiry));
        await LeaveAsync(back);
        await LeaveAsync(away);
        await LeaveAsync(earlier);

        // By the time that the will of a second before is there, the server has looked for all that are due; what it does for a client comes before that client's CONNACK.
        Pass(Minute - Instant);
        Assert.Equal("earlier", await subscriber.ReceiveTextAsync());
        await ExpectPresentAndLeaveAsync(back);
        await PublishAsync(Topic, 1, "a millisecond before");
        Assert.Equal("a millisecond before", await subscriber.ReceiveTextAsync());
        Pass(Instant);
        Assert.Equal("away", await subscriber.ReceiveTextAsync());
        Assert.Equal(delay < expiry, await IsPresentAsync(away));

        // Who came back has no will any more that another end could bring.
        await LeaveAsync(WithWill("later", delay, expiry));
        Pass(Minute);
        Assert.Equal("later", await subscriber.ReceiveTextAsync());
        Assert.Equal(delay < expiry, await IsPresentAsync(back));
        await PublishAsync(Topic, 1, "no will before");
        Assert.Equal("no will before", await subscriber.ReceiveTextAsync());
    }

    [Fact]
    [Statement(V5, "MQTT-3.1.2-8", "section 3.1.3.2.2", "section 3.14.2.2.2")]
    public async Task A_will_is_published_at_the_end_of_the_session_that_DISCONNECT_names()
    {
        var subscriber = await SubscribeAsync(V5, Topic, 1);
        var (earlier, shorter, longer) = (WithWill("earlier", Never, 59), WithWill("shorter", Never, 3600), WithWill("longer", Never, 1));
        await LeaveAsync(earlier);
        await LeaveAsync(shorter, new() { { PropertyId.SessionExpiry, 60 } });
        await LeaveAsync(longer, new() { { PropertyId.SessionExpiry, 120 } });
        Pass(Minute - Instant);
        Assert.Equal("earlier", await subscriber.ReceiveTextAsync());
        await PublishAsync(Topic, 1, "before");
        Assert.Equal("before", await subscriber.ReceiveTextAsync());
        Pass(Instant);
        Assert.Equal("shorter", await subscriber.ReceiveTextAsync());
        await PublishAsync(Topic, 1, "between");
        Assert.Equal("between", await subscriber.ReceiveTextAsync());
        Pass(Minute);
        Assert.Equal("longer", await subscriber.ReceiveTextAsync());
    }

    [Fact]
    [Statement(V5, "MQTT-3.1.2-8", "section 3.1.3.2.2", "MQTT-4.1.0-2", "section 4.1")]
    public async Task What_was_due_while_the_server_was_down_is_done_at_its_start_and_all_else_in_its_time()
    {
        var subscribing = Connect.Durable(V5, "subscriber", Never);
        await (await SubscribeAsync(subscribing, Topic, 1)).DisconnectAsync();
        var (delayed, ending, staying) = (WithWill("delayed", 60, 7200), WithWill("ending", 7200, 60), WithWill("staying", 7200, Never));
        await LeaveAsync(delayed);
        await LeaveAsync(ending);
        await LeaveAsync(staying);
        await Server.StopAsync();
        Pass(Hour);
        await Server.StartAsync();

        var subscriber = await ConnectAsync(subscribing);
        Assert.True(subscriber.ConnAck.IsSessionPresent);
        string[] wills = ["delayed", "ending"];
        Assert.Equal(wills, (await subscriber.ReceiveTextsAsync(2)).Order());
        Assert.False(await IsPresentAsync(ending));
        await ExpectPresentAndLeaveAsync(delayed);
        await PublishAsync(Topic, 1, "no will before");
        Assert.Equal("no will before", await subscriber.ReceiveTextAsync());
        Pass(Hour);
        Assert.Equal("staying", await subscriber.ReceiveTextAsync());
        Assert.True(await IsPresentAsync(staying));
    }

    private static Connect WithWill(string clientId, uint delay, uint expiry) => Connect.Durable(V5, clientId, expiry) with { Will = Will.Delayed(Topic, clientId, delay) };

    private async Task ExpectPresentAndLeaveAsync(Connect connect)
    {
        var client = await ConnectAsync(connect with { Will = null });
        Assert.True(client.ConnAck.IsSessionPresent);
        await client.DisconnectAsync(0x04);
    }
}
