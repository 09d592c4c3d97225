using System.Text;

namespace OrleansMqtt.Edge.Tests;

/// <summary>Publishes that are to be retained take their own way to the log, and what subscriptions find comes back with a mark behind it.</summary>
public sealed class RetainedTests
{
    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    public async Task Each_QoS_goes_to_the_partition_of_its_topic_and_is_answered(int version)
    {
        await using var host = await EdgeHost.StartAsync();
        using var client = await host.ConnectAsync(version: version);
        await client.SendAsync(
            Publish("a", "0", version) + Publish("a", "1", version, 1) + Publish("bb", "1", version, 2) + Publish("a", "2", version, 3, qos: 2) + Publish("a", "", version, 4));
        Assert.Equal("40020001", await client.ReceivePacketAsync());
        Assert.Equal("40020002", await client.ReceivePacketAsync());
        Assert.Equal("50020003", await client.ReceivePacketAsync());
        Assert.Equal("40020004", await client.ReceivePacketAsync());
        Assert.Equal("0:0 1:1 2:2 :1", string.Join(' ', host.Grains.Published.Where(message => message.Topic == "a").Select(message => $"{Text(message)}:{message.QoS}")));
        Assert.All(host.Grains.Published, message => Assert.True(message is { Retain: true, PublisherClientId: "c" }));
        Assert.Contains("retained 0: bb", host.Grains.Calls);
        Assert.All(host.Grains.Calls.Where(call => call.StartsWith("retained 1:", StringComparison.Ordinal)), call => Assert.DoesNotContain("bb", call, StringComparison.Ordinal));
        Assert.Equal(0, host.Context.Credits.Outstanding);
    }

    [Fact]
    public async Task QoS_2_of_a_stored_session_goes_to_its_session_partition()
    {
        await using var host = await EdgeHost.StartAsync();
        using var client = await host.ConnectStoredAsync();
        await client.SendAsync(Publish("a", "x", 5, 1, qos: 2));
        Assert.Equal("50020001", await client.ReceivePacketAsync());
        Assert.True(host.Grains.QoS2Batches.Single().Single().Message!.Retain);
        Assert.Empty(host.Grains.RetainedBatches);
    }

    [Fact]
    public async Task A_publish_that_changes_its_way_waits_until_those_before_it_are_stored()
    {
        await using var host = await EdgeHost.StartAsync();
        host.Grains.HoldsAppends = true;
        host.Grains.RetainedGate = new();
        using var client = await host.ConnectAsync();
        await client.SendAsync(RawClient.PublishPacket("a", "1", 5, 1) + Publish("a", "2", 5, 2) + RawClient.PublishPacket("a", "3", 5, 3));
        await host.Grains.When(() => host.Grains.Held.Count == 1);
        await client.ExpectOnlyPingResponseAsync();
        Assert.Empty(host.Grains.RetainedBatches);
        host.Grains.Settle(0);
        Assert.Equal("40020001", await client.ReceivePacketAsync());
        await host.Grains.When(() => host.Grains.RetainedBatches.Count == 1);
        await client.ExpectOnlyPingResponseAsync();
        Assert.Single(host.Grains.Held);
        host.Grains.RetainedGate.SetResult();
        Assert.Equal("40020002", await client.ReceivePacketAsync());
        await host.Grains.When(() => host.Grains.Held.Count == 2);
        host.Grains.Settle(1);
        Assert.Equal("40020003", await client.ReceivePacketAsync());
        Assert.Equal("1 2 3", string.Join(' ', host.Grains.Published.Select(Text)));
    }

    [Fact]
    public async Task A_call_that_fails_is_made_again_with_the_same_number_for_the_same_owner()
    {
        await using var host = await EdgeHost.StartAsync();
        using var client = await host.ConnectAsync();
        await client.SendAsync(Publish("a", "1", 5, 1));
        Assert.Equal("40020001", await client.ReceivePacketAsync());
        host.Grains.RetainedFailures.Enqueue(new TimeoutException());
        await client.SendAsync(Publish("a", "2", 5, 2));
        Assert.Equal("40020002", await client.ReceivePacketAsync());
        Assert.Equal([(1L, 0L), (2L, 0L), (2L, 1L)], host.Grains.RetainedBatches.Select(batch => (batch.Sequence, batch.Generation)));
    }

    [Fact]
    public async Task When_the_owner_changed_QoS_1_is_stored_again_QoS_0_is_not_and_QoS_2_is_not_acknowledged()
    {
        await using var host = await EdgeHost.StartAsync();
        host.Grains.RetainedGate = new();
        using var client = await host.ConnectAsync();
        using var other = await host.ConnectAsync("other");
        await client.SendAsync(Publish("a", "known", 5, 1));
        await host.Grains.When(() => host.Grains.RetainedBatches.Count == 1);
        await client.SendAsync(Publish("a", "0", 5) + Publish("a", "1", 5, 2));
        await client.ExpectOnlyPingResponseAsync();
        await other.SendAsync(Publish("a", "2", 5, 1, qos: 2));
        await other.ExpectOnlyPingResponseAsync();
        host.Grains.RetainedGate.SetResult();
        Assert.Equal("40020001", await client.ReceivePacketAsync());
        host.Grains.RetainedFailures.Enqueue(new TimeoutException());
        host.Grains.RetainedGeneration = 2;
        await client.SendAsync(Publish("a", "0", 5) + Publish("a", "1", 5, 3));
        while (await client.ReceivePacketAsync() != "40020003")
        {
            // The acknowledgement of the one before.
        }

        host.Grains.RetainedFailures.Enqueue(new TimeoutException());
        host.Grains.RetainedGeneration = 3;
        await other.SendAsync(Publish("a", "lost", 5, 2, qos: 2));
        Assert.Contains("E0", await other.ReceiveUntilClosedAsync(), StringComparison.Ordinal);
        Assert.DoesNotContain(host.Grains.Published, message => Text(message) == "lost");
    }

    [Fact]
    public async Task A_message_that_the_log_never_takes_is_refused_or_ends_the_connection_of_an_older_client_alone()
    {
        await using var host = await EdgeHost.StartAsync();
        using var client = await host.ConnectAsync();
        using var older = await host.ConnectAsync("older", version: 4);
        using var other = await host.ConnectAsync("other");
        await client.SendAsync(Publish("a", new string('x', 1000), 5, 1));
        Assert.StartsWith("4028000197", await client.ReceivePacketAsync(), StringComparison.Ordinal);
        await client.ExpectOnlyPingResponseAsync();
        await older.SendAsync(Publish("a", new string('x', 1000), 4, 1));
        Assert.Equal("", await older.ReceiveUntilClosedAsync());
        await other.SendAsync(Publish("a", "x", 5, 1));
        Assert.Equal("40020001", await other.ReceivePacketAsync());
    }

    [Theory]
    [InlineData(4, "")]
    [InlineData(5, "9A")]
    public async Task Where_retained_messages_are_switched_off_they_are_refused(int version, string reason)
    {
        await using var host = await EdgeHost.StartAsync(null, ("RetainAvailable", "false"));
        using var client = await host.OpenAsync();
        await client.SendAsync(RawClient.ConnectPacket("c", version));
        var connAck = await client.ReceivePacketAsync();
        Assert.Equal(version == 5, connAck.Contains("2500", StringComparison.Ordinal));
        await client.SendAsync(Publish("a", "x", version));
        var received = await client.ReceiveUntilClosedAsync();
        Assert.Equal(reason, received.Length == 0 ? "" : received[4..6]);

        using var withWill = await host.OpenAsync();
        var body = $"00044D515454{version:X2}260000{(version == 5 ? "00" : "")}{RawClient.Text("w")}{(version == 5 ? "00" : "")}{RawClient.Text("a")}{RawClient.Text("x")}";
        await withWill.SendAsync($"10{body.Length / 2:X2}{body}");
        received = await withWill.ReceiveUntilClosedAsync();
        Assert.Equal(reason, received.Length == 0 ? "" : received[6..8]);
        Assert.Empty(host.Grains.RetainedBatches);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    public async Task The_RETAIN_flag_goes_out_and_a_mark_tells_when_what_was_before_it_is_written(int version)
    {
        await using var host = await EdgeHost.StartAsync(null, ("ConnectionOutboundBytes", "1024"));
        using var client = await host.ConnectAsync(version: version);
        var connection = host.Grains.Client("c").ConnectionId!.Value;
        MqttMessage message = new() { Topic = "a", Payload = Encoding.UTF8.GetBytes(new string('x', 2_000)), QoS = 0 };
        host.Grains.Send(
            [message],
            [
                new(connection, 0, 0, 0, isDuplicate: false, isRetained: true, isPaced: true), new(connection, 0, 0, 0, isDuplicate: false, isRetained: true, isPaced: true),
                new(connection, 0, 7, 1, isDuplicate: false, isRetained: true), new(connection, Delivery.Mark, 0, 0, isDuplicate: false),
            ]);
        var packet = RawClient.PublishPacket("a", new string('x', 2_000), version, retain: true);
        Assert.Equal(packet, await client.ReceivePacketAsync());
        Assert.Equal(packet, await client.ReceivePacketAsync());
        Assert.Equal(RawClient.PublishPacket("a", new string('x', 2_000), version, 7, retain: true), await client.ReceivePacketAsync());
        await host.Grains.When(() => host.Grains.Acknowledgements.Count == 1);
        Assert.Equal(AcknowledgementKind.Written, host.Grains.Acknowledgements[0].Kind);
        await client.ExpectOnlyPingResponseAsync();
    }

    [Fact]
    public async Task A_mark_behind_what_a_client_does_not_read_is_not_answered()
    {
        // More than the system takes for a client that does not read.
        const int Count = 400;
        await using var host = await EdgeHost.StartAsync();
        using var client = await host.ConnectAsync();
        var connection = host.Grains.Client("c").ConnectionId!.Value;
        MqttMessage message = new() { Topic = "a", Payload = new byte[100_000], QoS = 0 };
        Delivery paced = new(connection, 0, 0, 0, isDuplicate: false, isRetained: true, isPaced: true);
        host.Grains.Send([message], [.. Enumerable.Repeat(paced, Count), new(connection, Delivery.Mark, 0, 0, isDuplicate: false)]);
        using var other = await host.ConnectAsync("other");
        await other.ExpectOnlyPingResponseAsync();
        Assert.Empty(host.Grains.Acknowledgements);
        var buffer = new byte[1 << 20];
        for (var left = Count * (message.Payload.Length + 8L); left > 0;)
        {
            using CancellationTokenSource timeout = new(RawClient.Timeout);
            left -= await client.Socket.ReceiveAsync(buffer, timeout.Token);
        }

        await host.Grains.When(() => host.Grains.Acknowledgements.Count == 1);
    }

    private static string Publish(string topic, string payload, int version, int packetId = 0, int qos = 1) =>
        RawClient.PublishPacket(topic, payload, version, packetId, qos, retain: true);

    private static string Text(MqttMessage message) => Encoding.UTF8.GetString(message.Payload.Span);
}
