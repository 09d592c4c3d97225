using System.Text;

namespace OrleansMqtt.Edge.Tests;

/// <summary>QoS 2 from clients whose sessions outlive their connections: the session partition knows the packet identifiers.</summary>
public sealed class QoS2SessionTests
{
    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    public async Task Messages_and_releases_go_to_the_session_partition(int version)
    {
        await using var host = await EdgeHost.StartAsync();
        using var client = await host.ConnectStoredAsync(version);
        await client.SendAsync(Publish("x", version, 1));
        Assert.Equal("50020001", await client.ReceivePacketAsync());
        await client.SendAsync(Publish("x", version, 1, isDuplicate: true) + "62020001");
        Assert.Equal("50020001", await client.ReceivePacketAsync());
        Assert.Equal("70020001", await client.ReceivePacketAsync());
        await client.SendAsync("62020001");
        Assert.Equal(version == 5 ? RawClient.NotFoundPacket("70", 1) : "70020001", await client.ReceivePacketAsync());
        var message = Assert.Single(host.Grains.Published);
        Assert.Equal(("a", "x", 2, "c"), (message.Topic, Text(message), message.QoS, message.PublisherClientId));
        var first = host.Grains.QoS2Batches[0].Single();
        Assert.Equal((host.Grains.Client("c").Slot, host.Grains.Client("c").Epoch, 1), (first.SessionSlot, first.Epoch, first.PacketId));
        Assert.Equal(0, host.Context.Credits.Outstanding);
    }

    [Fact]
    public async Task A_session_that_goes_on_but_ends_with_this_connection_still_knows_its_identifiers()
    {
        await using var host = await EdgeHost.StartAsync();
        using (var before = await host.ConnectStoredAsync())
        {
            await before.SendAsync(Publish("x", 5, 1));
            Assert.Equal("50020001", await before.ReceivePacketAsync());
        }

        host.Grains.SessionPresent = true;
        using var client = await host.ConnectAsync();
        await client.SendAsync(Publish("x", 5, 1, isDuplicate: true));
        Assert.Equal("50020001", await client.ReceivePacketAsync());
        Assert.Single(host.Grains.Published);
    }

    [Fact]
    public async Task One_call_is_under_way_and_what_comes_meanwhile_goes_with_the_next()
    {
        const int Count = 1500;
        await using var host = await EdgeHost.StartAsync(null, ("ReceiveMaximum", "2000"));
        host.Grains.QoS2Gate = new TaskCompletionSource();
        using var first = await host.ConnectStoredAsync();
        using var second = await host.ConnectStoredAsync(clientId: "d");
        await first.SendAsync(Publish("0", 5, 1));
        await host.Grains.When(() => host.Grains.QoS2Batches.Count == 1);
        await first.SendAsync(string.Concat(Enumerable.Range(2, Count - 1).Select(id => Publish($"{id}", 5, id))));
        await first.ExpectOnlyPingResponseAsync();
        await second.SendAsync(Publish("other", 5, 1));
        await second.ExpectOnlyPingResponseAsync();
        Assert.Single(host.Grains.QoS2Batches);
        host.Grains.QoS2Gate.SetResult();
        for (var id = 1; id <= Count; id++)
        {
            Assert.Equal($"5002{id:X4}", await first.ReceivePacketAsync());
        }

        Assert.Equal("50020001", await second.ReceivePacketAsync());
        Assert.Equal(3, host.Grains.QoS2Batches.Count);
        Assert.All(host.Grains.QoS2Batches, batch => Assert.InRange(batch.Length, 1, 1000));
        var slot = host.Grains.Client("c").Slot;
        var sent = host.Grains.QoS2Batches.SelectMany(batch => batch).Where(item => item.SessionSlot == slot);
        Assert.Equal(Enumerable.Range(1, Count), sent.Select(item => (int)item.PacketId));
    }

    [Fact]
    public async Task A_call_that_fails_is_made_again_until_it_succeeds()
    {
        await using var host = await EdgeHost.StartAsync();
        using var client = await host.ConnectStoredAsync();
        host.Grains.Failure = new TimeoutException("moving");
        await client.SendAsync(Publish("x", 5, 1) + Publish("y", 5, 2));
        await host.Grains.When(() => host.Grains.QoS2Batches.Count >= 2);
        await client.ExpectOnlyPingResponseAsync();
        host.Grains.Failure = null;
        Assert.Equal("50020001", await client.ReceivePacketAsync());
        Assert.Equal("50020002", await client.ReceivePacketAsync());
        Assert.Equal(["x", "y"], host.Grains.Published.Select(Text));
        Assert.Contains(host.Log.Lines, line => line.Text.Contains("takes no QoS 2 messages", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task What_follows_a_QoS_2_message_on_the_other_path_waits_for_it_and_pings_do_not(int qos)
    {
        await using var host = await EdgeHost.StartAsync();
        host.Grains.QoS2Gate = new TaskCompletionSource();
        using var client = await host.ConnectStoredAsync();
        await client.SendAsync(Publish("1", 5, 1) + RawClient.PublishPacket("a", "2", 5, qos == 0 ? 0 : 2) + Publish("3", 5, 3));
        await host.Grains.When(() => host.Grains.QoS2Batches.Count == 1);
        await client.ExpectOnlyPingResponseAsync();
        await client.ExpectOnlyPingResponseAsync();
        Assert.Empty(host.Grains.Published);
        host.Grains.QoS2Gate.SetResult();
        string[] expected = qos == 0 ? ["50020001", "50020003"] : ["50020001", "40020002", "50020003"];
        foreach (var packet in expected)
        {
            Assert.Equal(packet, await client.ReceivePacketAsync());
        }

        Assert.Equal(["1", "2", "3"], host.Grains.Published.Select(Text));
    }

    [Fact]
    public async Task A_QoS_2_message_waits_for_what_went_to_the_log_before_it_and_pings_do_not()
    {
        await using var host = await EdgeHost.StartAsync();
        host.Grains.HoldsAppends = true;
        using var client = await host.ConnectStoredAsync();
        await client.SendAsync(RawClient.PublishPacket("a", "1", 5, 1) + Publish("2", 5, 2) + "62020007");
        await host.Grains.When(() => host.Grains.Held.Count == 1);
        await client.ExpectOnlyPingResponseAsync();
        Assert.Empty(host.Grains.QoS2Batches);
        host.Grains.Settle(0);
        Assert.Equal("40020001", await client.ReceivePacketAsync());
        Assert.Equal("50020002", await client.ReceivePacketAsync());
        Assert.Equal(RawClient.NotFoundPacket("70", 7), await client.ReceivePacketAsync());
    }

    [Fact]
    public async Task A_release_does_not_wait_for_the_log_nor_the_log_for_it()
    {
        await using var host = await EdgeHost.StartAsync();
        using var client = await host.ConnectStoredAsync();
        await client.SendAsync(Publish("1", 5, 1));
        Assert.Equal("50020001", await client.ReceivePacketAsync());
        host.Grains.HoldsAppends = true;
        await client.SendAsync(RawClient.PublishPacket("a", "2", 5, 2) + "62020001" + RawClient.PublishPacket("a", "3", 5, 3));
        await host.Grains.When(() => host.Grains.Held.Count == 2 && host.Grains.QoS2Batches.Count == 2);
        host.Grains.Settle(0);
        host.Grains.Settle(1);
        Assert.Equal("40020002", await client.ReceivePacketAsync());
        Assert.Equal("70020001", await client.ReceivePacketAsync());
        Assert.Equal("40020003", await client.ReceivePacketAsync());
    }

    [Fact]
    public async Task A_QoS_2_message_behind_one_that_was_not_stored_is_not_stored_either()
    {
        await using var host = await EdgeHost.StartAsync();
        host.Grains.HoldsAppends = true;
        using var client = await host.ConnectStoredAsync();
        await client.SendAsync(RawClient.PublishPacket("a", "1", 5, 1) + Publish("2", 5, 2));
        await host.Grains.When(() => host.Grains.Held.Count == 1);
        host.Grains.Settle(0, "the broker refused it");
        Assert.Equal("83", (await client.ReceiveUntilClosedAsync())[4..6]);
        await host.Grains.When(() => host.Grains.Calls.Contains("disconnect c ByServer"));
        Assert.Empty(host.Grains.QoS2Batches);
        Assert.Equal(0, host.Context.Credits.Outstanding);
    }

    [Fact]
    public async Task A_takeover_waits_for_a_call_that_is_under_way()
    {
        await using var host = await EdgeHost.StartAsync();
        host.Grains.QoS2Gate = new TaskCompletionSource();
        using var first = await host.ConnectStoredAsync();
        await first.SendAsync(Publish("1", 5, 1));
        await host.Grains.When(() => host.Grains.QoS2Batches.Count == 1);
        await first.SendAsync(RawClient.PublishPacket("a", "2", 5, 2));
        await first.ExpectOnlyPingResponseAsync();
        using var second = await host.OpenAsync();
        await second.SendAsync(RawClient.ConnectPacket("c", 5, properties: "1100000E10"));
        Assert.Equal("8E", (await first.ReceiveUntilClosedAsync())[4..6]);
        Assert.Single(host.Grains.Calls, "connect c");
        host.Grains.QoS2Gate.SetResult();
        Assert.StartsWith("20", await second.ReceivePacketAsync(), StringComparison.Ordinal);
        await second.ExpectOnlyPingResponseAsync();
        Assert.Equal(["1"], host.Grains.Published.Select(Text));
        Assert.Equal(0, host.Context.Credits.Outstanding);
    }

    [Fact]
    public async Task A_connection_that_is_not_the_living_one_any_more_gets_no_answer_and_is_closed()
    {
        await using var host = await EdgeHost.StartAsync();
        using var client = await host.ConnectStoredAsync();
        host.Grains.Client("c").Supersede();
        await client.SendAsync(Publish("x", 5, 1));
        var received = await client.ReceiveUntilClosedAsync();
        Assert.True(received.StartsWith("E0", StringComparison.Ordinal) && received[4..6] == "8E", received);
        Assert.Empty(host.Grains.Published);
    }

    [Fact]
    public async Task The_session_hears_of_the_end_after_it_has_stored_what_came_before()
    {
        await using var host = await EdgeHost.StartAsync();
        host.Grains.QoS2Gate = new TaskCompletionSource();
        using var client = await host.ConnectStoredAsync();
        await client.SendAsync(Publish("x", 5, 1) + "E000");
        var closed = client.ReceiveUntilClosedAsync();
        await host.Grains.When(() => host.Grains.QoS2Batches.Count == 1);

        // Whoever does not wait would have told it by now.
        using var other = await host.ConnectAsync("other");
        await other.ExpectOnlyPingResponseAsync();
        Assert.False(closed.IsCompleted);
        host.Grains.QoS2Gate.SetResult();
        Assert.Equal("", await closed);
        Assert.Equal(["connect c", "connect other", "store 1", "disconnect c Normal"], host.Grains.Calls);
    }

    [Fact]
    public async Task A_flood_that_the_partition_does_not_take_is_left_in_the_socket_and_flows_again_later()
    {
        const int Limit = 64 * 1024;
        const int Count = 2000;
        await using var host = await EdgeHost.StartAsync(null, ("MaximumPacketSize", "16384"), ("ConnectionPublishBytes", $"{Limit}"));
        host.Grains.QoS2Gate = new TaskCompletionSource();
        using var client = await host.ConnectStoredAsync(4);
        var sending = Task.Run(async () =>
        {
            for (var id = 1; id <= Count; id++)
            {
                await client.SendAsync(Publish(new string('x', 8000), 4, id));
            }
        });
        await host.Grains.When(() => host.Grains.QoS2Batches.Count == 1);
        using var calm = await host.ConnectAsync("calm");
        await calm.ExpectOnlyPingResponseAsync();
        Assert.True(host.Context.Credits.Outstanding <= 2 * Limit);
        Assert.False(sending.IsCompleted);
        host.Grains.QoS2Gate.SetResult();
        for (var id = 1; id <= Count; id++)
        {
            Assert.Equal($"5002{id:X4}", await client.ReceivePacketAsync());
        }

        await sending;
    }

    private static string Publish(string payload, int version, int packetId, bool isDuplicate = false)
        => RawClient.PublishPacket("a", payload, version, packetId, 2, isDuplicate);

    private static string Text(MqttMessage message) => Encoding.UTF8.GetString(message.Payload.Span);
}
