using Microsoft.Extensions.Time.Testing;

namespace OrleansMqtt.Edge.Tests;

/// <summary>How connections begin and end.</summary>
public sealed class LifeTests
{
    [Fact]
    public async Task A_takeover_waits_for_what_is_on_its_way_to_the_log()
    {
        await using var host = await EdgeHost.StartAsync();
        host.Grains.HoldsAppends = true;
        using var first = await host.ConnectAsync();
        await first.SendAsync(RawClient.PublishPacket("a", "x", 5, 1));
        await host.Grains.When(() => host.Grains.Held.Count == 1);
        using var second = await host.OpenAsync();
        await second.SendAsync(RawClient.ConnectPacket("c", 5));
        Assert.Equal("8E", (await first.ReceiveUntilClosedAsync())[4..6]);
        Assert.Single(host.Grains.Calls, "connect c");
        host.Grains.Settle(0);
        Assert.StartsWith("20", await second.ReceivePacketAsync(), StringComparison.Ordinal);
        await second.ExpectOnlyPingResponseAsync();
    }

    [Fact]
    public async Task A_takeover_waits_for_acknowledgements_on_their_way_to_the_session()
    {
        await using var host = await EdgeHost.StartAsync();
        host.Grains.AcknowledgeGate = new();
        using var first = await host.ConnectAsync();
        await first.SendAsync("40020001");
        await first.ExpectOnlyPingResponseAsync();
        using var second = await host.OpenAsync();
        await second.SendAsync(RawClient.ConnectPacket("c", 5));
        Assert.Equal("8E", (await first.ReceiveUntilClosedAsync())[4..6]);
        Assert.Single(host.Grains.Calls, "connect c");
        host.Grains.AcknowledgeGate.SetResult();
        Assert.StartsWith("20", await second.ReceivePacketAsync(), StringComparison.Ordinal);
        Assert.Single(host.Grains.Acknowledgements);
        await second.ExpectOnlyPingResponseAsync();
    }

    [Fact]
    public async Task A_takeover_drops_publishes_that_wait_behind_a_subscribe()
    {
        await using var host = await EdgeHost.StartAsync();
        host.Grains.SubscribeGate = new TaskCompletionSource();
        using var first = await host.ConnectAsync();
        await first.SendAsync($"82070001 00 {RawClient.Text("a")} 01 {RawClient.PublishPacket("a", "x", 5, 2)} C000");
        Assert.Equal("D000", await first.ReceivePacketAsync());
        using var second = await host.ConnectAsync();
        Assert.Equal("8E", (await first.ReceiveUntilClosedAsync())[4..6]);
        host.Grains.SubscribeGate.SetResult();
        await second.ExpectOnlyPingResponseAsync();
        Assert.Empty(host.Grains.Published);
        Assert.Equal(0, host.Context.Credits.Outstanding);
    }

    [Fact]
    public async Task A_connection_whose_epoch_is_old_is_closed_at_its_next_subscribe()
    {
        await using var host = await EdgeHost.StartAsync();
        using var client = await host.ConnectAsync();
        host.Grains.Client("c").Supersede();
        await client.SendAsync($"82070001 00 {RawClient.Text("a")} 01");
        Assert.Equal("8E", (await client.ReceiveUntilClosedAsync())[4..6]);
    }

    [Fact]
    public async Task A_silent_client_is_closed_after_one_and_a_half_times_its_keep_alive()
    {
        var time = new FakeTimeProvider();
        await using var host = await EdgeHost.StartAsync(time);
        using var silent = await host.ConnectAsync("silent", keepAlive: 10);
        using var alive = await host.ConnectAsync("alive", keepAlive: 10);
        using var without = await host.ConnectAsync("without");
        time.Advance(TimeSpan.FromSeconds(14));
        await alive.ExpectOnlyPingResponseAsync();
        await silent.ExpectOnlyPingResponseAsync();
        time.Advance(TimeSpan.FromSeconds(8));
        await alive.ExpectOnlyPingResponseAsync();
        time.Advance(TimeSpan.FromSeconds(8));
        Assert.Equal("8D", (await silent.ReceiveUntilClosedAsync())[4..6]);
        await alive.ExpectOnlyPingResponseAsync();
        await without.ExpectOnlyPingResponseAsync();
        await host.Grains.When(() => host.Grains.Calls.Contains("disconnect silent ConnectionLost"));
    }

    [Fact]
    public async Task A_connection_that_sends_nothing_is_closed_after_the_connect_timeout()
    {
        var time = new FakeTimeProvider();
        await using var host = await EdgeHost.StartAsync(time, ("Listeners:0:Transport", "Tcp"));
        using var silent = await host.OpenAsync();
        using var slow = await host.OpenAsync();
        await slow.SendAsync("10");
        using var connected = await host.ConnectAsync();
        time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal("", await silent.ReceiveUntilClosedAsync());
        Assert.Equal("", await slow.ReceiveUntilClosedAsync());
        await connected.ExpectOnlyPingResponseAsync();
    }

    [Fact]
    public async Task The_keep_alive_of_a_client_is_lowered_to_the_greatest_allowed()
    {
        await using var host = await EdgeHost.StartAsync(null, ("MaximumKeepAlive", "60"));
        using var client = await host.OpenAsync();
        await client.SendAsync(RawClient.ConnectPacket("c", 5, keepAlive: 600));
        Assert.EndsWith("13003C", await client.ReceivePacketAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_without_an_identifier_is_given_one_and_told_that_its_session_ends()
    {
        await using var host = await EdgeHost.StartAsync();
        host.Grains.GrantedExpiry = 0;
        using var client = await host.OpenAsync();
        await client.SendAsync(RawClient.ConnectPacket("", 5, properties: "1100000E10"));
        var answer = await client.ReceivePacketAsync();
        Assert.Contains("1100000000", answer, StringComparison.Ordinal);
        Assert.Contains("120025" + Convert.ToHexString("auto-"u8), answer, StringComparison.Ordinal);
        using var older = await host.OpenAsync();
        await older.SendAsync(RawClient.ConnectPacket("", 4));
        Assert.Equal("20020000", await older.ReceivePacketAsync());
    }

    [Fact]
    public async Task A_lost_connection_hands_over_what_was_received_and_tells_the_session()
    {
        await using var host = await EdgeHost.StartAsync();
        using (var client = await host.ConnectAsync())
        {
            await client.SendAsync(RawClient.PublishPacket("a", "x", 5));
        }

        await host.Grains.When(() => host.Grains.Calls.Contains("disconnect c ConnectionLost"));
        Assert.Single(host.Grains.Published);
    }

    [Fact]
    public async Task A_disconnect_with_a_reason_is_told_to_the_session()
    {
        await using var host = await EdgeHost.StartAsync();
        using var client = await host.ConnectAsync();
        await client.SendAsync("E00104");
        Assert.Equal("", await client.ReceiveUntilClosedAsync());
        await host.Grains.When(() => host.Grains.Calls.Contains("disconnect c ByClientWithReason"));
    }

    [Theory]
    [InlineData("E0 07 00 05 1100000000", "Normal 0")]
    [InlineData("E0 07 04 05 11FFFFFFFF", "ByClientWithReason 4294967295")]
    [InlineData("E0 02 04 00", "ByClientWithReason")]
    [InlineData("E0 01 80", "ByClientWithReason")]
    public async Task A_disconnect_may_change_how_long_the_session_lasts(string packet, string told)
    {
        await using var host = await EdgeHost.StartAsync();
        using var client = await host.ConnectStoredAsync();
        await client.SendAsync(packet);
        Assert.Equal("", await client.ReceiveUntilClosedAsync());
        await host.Grains.When(() => host.Grains.Calls.Contains($"disconnect c {told}"));
    }

    [Fact]
    public async Task Grains_that_do_not_answer_close_the_connection_without_an_exception_in_the_log()
    {
        await using var host = await EdgeHost.StartAsync();
        using var publisher = await host.ConnectAsync("p");
        using var subscriber = await host.ConnectAsync("s");
        using var older = await host.OpenAsync();
        host.Grains.Failure = new TimeoutException("no answer");
        await publisher.SendAsync(RawClient.PublishPacket("a", "x", 5, 1));
        await subscriber.SendAsync($"82070001 00 {RawClient.Text("a")} 01");
        await older.SendAsync(RawClient.ConnectPacket("o", 4));
        Assert.Equal("89", (await publisher.ReceiveUntilClosedAsync())[4..6]);
        Assert.Equal("89", (await subscriber.ReceiveUntilClosedAsync())[4..6]);
        Assert.Equal("20020003", await older.ReceiveUntilClosedAsync());
        using var newer = await host.OpenAsync();
        await newer.SendAsync(RawClient.ConnectPacket("n", 5));
        Assert.Equal("0088", (await newer.ReceiveUntilClosedAsync())[4..8]);
        Assert.All(host.Log.Lines, line => Assert.Null(line.Exception));
    }

    [Fact]
    public async Task The_end_of_a_connection_and_a_connect_without_an_answer_are_told_until_the_session_takes_it()
    {
        await using var host = await EdgeHost.StartAsync();
        using var client = await host.ConnectAsync();
        host.Grains.Failure = new TimeoutException("no answer");
        client.Dispose();
        using (var other = await host.OpenAsync())
        {
            await other.SendAsync(RawClient.ConnectPacket("o", 5));
            Assert.Equal("0088", (await other.ReceiveUntilClosedAsync())[4..8]);
        }

        await host.Grains.When(() => host.Grains.Calls.Contains("failed disconnect c") && host.Grains.Calls.Contains("failed abandon o"));
        host.Grains.Failure = null;
        await host.Grains.When(() => host.Grains.Calls.Contains("disconnect c ConnectionLost") && host.Grains.Calls.Contains("abandon o"));
    }

    [Fact]
    public async Task A_stop_tells_the_clients_and_waits_for_publishes()
    {
        await using var host = await EdgeHost.StartAsync();
        host.Grains.HoldsAppends = true;
        using var client = await host.ConnectAsync();
        using var older = await host.ConnectAsync("older", 4);
        await client.SendAsync(RawClient.PublishPacket("a", "x", 5, 1));
        await host.Grains.When(() => host.Grains.Held.Count == 1);
        var stopping = host.StopAsync();
        Assert.Equal("8B", (await client.ReceiveUntilClosedAsync())[4..6]);
        Assert.Equal("", await older.ReceiveUntilClosedAsync());
        await host.Grains.When(() => host.Grains.Calls.Contains("disconnect older ServerStopping"));
        Assert.False(stopping.IsCompleted);

        // The session hears of the end after the publishes, so that a will comes after them.
        Assert.DoesNotContain("disconnect c ServerStopping", host.Grains.Calls);
        host.Grains.Settle(0);
        await host.Grains.When(() => host.Grains.Calls.Contains("disconnect c ServerStopping"));
        await stopping.WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task One_connection_too_many_is_closed()
    {
        await using var host = await EdgeHost.StartAsync(null, ("MaximumConnections", "1"));
        using var first = await host.ConnectAsync();
        using var second = await host.OpenAsync();
        Assert.Equal("", await second.ReceiveUntilClosedAsync());
        await first.ExpectOnlyPingResponseAsync();
    }

    [Theory]
    [InlineData("MaximumPacketSize", "12", "Mqtt:MaximumPacketSize is 12: it must be from 1024 to 268435460.")]
    [InlineData("ReceiveMaximum", "0", "Mqtt:ReceiveMaximum is 0: it must be from 1 to 65535.")]
    [InlineData("MaximumQoS", "3", "Mqtt:MaximumQoS is 3: it must be from 0 to 2.")]
    [InlineData("OutgoingTopicAliases", "2000", "Mqtt:OutgoingTopicAliases is 2000: it must be from 0 to 1024.")]
    [InlineData("ResponseTopicPrefix", "a/#", "Mqtt:ResponseTopicPrefix is 'a/#': it must be the beginning of a topic name, without wildcards.")]
    [InlineData("TotalPublishBytes", "2000000", "Mqtt:TotalPublishBytes is 2000000: it must be from 2097152 to 9223372036854775807.")]
    [InlineData("ConnectionPublishBytes", "300000000", "Mqtt:TotalPublishBytes is 268435456: it must be from 300000000 to 9223372036854775807.")]
    [InlineData("Listeners:0:Address", "here", "Mqtt:Listeners:0:Address is 'here': it must be an IP address, or * for every address.")]
    [InlineData("Listeners:0:CertificatePath", "none.pfx", "Mqtt:Listeners:0:CertificatePath is 'none.pfx': it must be a file that exists.")]
    public async Task A_bad_setting_stops_the_start_with_one_line(string setting, string value, string line)
    {
        var exception = await Assert.ThrowsAsync<Microsoft.Extensions.Options.OptionsValidationException>(() => EdgeHost.StartAsync(null, (setting, value)));
        Assert.Equal(line, exception.Message);
    }
}
