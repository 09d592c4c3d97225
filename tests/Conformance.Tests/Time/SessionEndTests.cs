namespace OrleansMqtt.Conformance.Tests.Time;

/// <summary>The end of a session: the Session Expiry Interval, to the millisecond.</summary>
public sealed class SessionEndTests : ClockTests
{
    [Fact]
    [Statement(V5, "section 3.1.2.11.2", "MQTT-3.1.2-23", "MQTT-4.1.0-2")]
    public async Task A_session_is_there_to_the_last_millisecond_of_its_interval()
    {
        var (back, away) = (Connect.Durable(V5, "back", expiry: 3600), Connect.Durable(V5, "away", expiry: 3600));
        await LeaveAsync(back);
        await LeaveAsync(away);
        Pass(Hour - Instant);
        Assert.True(await IsPresentAsync(back));
        Pass(Instant);
        Assert.False(await IsPresentAsync(away));
    }

    [Fact]
    [Statement(V5, "section 3.14.2.2.2", "MQTT-3.1.2-23", "MQTT-4.1.0-2")]
    public async Task The_interval_of_DISCONNECT_counts_instead_of_that_of_CONNECT()
    {
        var (shorter, shorterToo) = (Connect.Durable(V5, "shorter", expiry: 3600), Connect.Durable(V5, "shorter too", expiry: 3600));
        var (longer, longerToo) = (Connect.Durable(V5, "longer", expiry: 60), Connect.Durable(V5, "longer too", expiry: 60));
        await LeaveAsync(shorter, new() { { PropertyId.SessionExpiry, 60 } });
        await LeaveAsync(shorterToo, new() { { PropertyId.SessionExpiry, 60 } });
        await LeaveAsync(longer, new() { { PropertyId.SessionExpiry, 3600 } });
        await LeaveAsync(longerToo, new() { { PropertyId.SessionExpiry, 3600 } });
        Pass(Minute - Instant);
        Assert.True(await IsPresentAsync(shorter));
        Pass(Instant);
        Assert.False(await IsPresentAsync(shorterToo));
        Pass(Hour - Minute - Instant);
        Assert.True(await IsPresentAsync(longer));
        Pass(Instant);
        Assert.False(await IsPresentAsync(longerToo));
    }

    [Theory, InlineData(false), InlineData(true)]
    [Statement(V5, "section 3.1.2.11.2", "section 3.14.2.2.2", "MQTT-4.1.0-1")]
    public async Task The_greatest_interval_never_ends_and_the_one_below_ends_after_136_years(bool isOfDisconnect)
    {
        const uint Longest = Never - 1;
        var subscriber = await SubscribeAsync(V5, "ended", 1);
        var staying = Connect.Durable(V5, "staying", isOfDisconnect ? 60 : Never);
        var ending = Connect.Durable(V5, "ending", isOfDisconnect ? 60 : Longest) with { Will = Will.Delayed("ended", "136 years", Never) };
        await (await SubscribeAsync(staying, "message", 1)).DisconnectAsync(0, isOfDisconnect ? new() { { PropertyId.SessionExpiry, Never } } : []);
        await LeaveAsync(ending, isOfDisconnect ? new() { { PropertyId.SessionExpiry, Longest } } : []);
        await PublishAsync("message", 1, "waits");

        // The server has looked for sessions that are at their end when it publishes the will of one.
        Pass(TimeSpan.FromSeconds(Longest));
        Assert.Equal("136 years", await subscriber.ReceiveTextAsync());
        Assert.False(await IsPresentAsync(ending));
        Pass(TimeSpan.FromDays(36_500));
        var client = await ConnectAsync(staying);
        Assert.True(client.ConnAck.IsSessionPresent);
        Assert.Equal("waits", await client.ReceiveTextAsync());
    }

    [Fact]
    [Statement(V5, "section 3.1.2.11.2", "MQTT-4.1.0-1", "MQTT-4.1.0-2")]
    public async Task A_connection_stops_the_time_and_it_begins_anew_with_the_next_end()
    {
        var subscriber = await SubscribeAsync(V5, "ended", 1);
        var (connect, later) = (Connect.Durable(V5, "client", expiry: 60), Connect.Durable(V5, "later", expiry: 120) with { Will = Will.Delayed("ended", "later", Never) });
        await (await SubscribeAsync(connect, "message", 1)).DisconnectAsync();
        await LeaveAsync(later);
        Pass(Minute - Instant);
        var client = await ConnectAsync(connect);
        Assert.True(client.ConnAck.IsSessionPresent);
        Pass(Hour);
        Assert.Equal("later", await subscriber.ReceiveTextAsync());
        await PublishAsync("message", 1, "is subscribed still");
        Assert.Equal("is subscribed still", await client.ReceiveTextAsync());
        await client.DisconnectAsync();
        Pass(Minute - Instant);
        client = await ConnectAsync(connect);
        Assert.True(client.ConnAck.IsSessionPresent);
        await client.DisconnectAsync();
        Pass(Minute);
        Assert.False(await IsPresentAsync(connect));
    }
}
