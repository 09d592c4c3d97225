namespace OrleansMqtt.Edge.Tests;

public sealed class PublishTests
{
    [Fact]
    public async Task Acknowledgements_keep_the_order_of_receipt_whatever_the_order_of_the_log()
    {
        await using var host = await EdgeHost.StartAsync();
        host.Grains.HoldsAppends = true;
        using var client = await host.ConnectAsync();
        await client.SendAsync(string.Concat(Enumerable.Range(1, 6).Select(id => RawClient.PublishPacket(id % 3 == 0 ? "a" : "b", "x", 5, id))));
        await host.Grains.When(() => host.Grains.Held.Count == 6);
        foreach (var index in (int[])[5, 3, 1, 4, 2])
        {
            host.Grains.Settle(index);
        }

        await client.ExpectOnlyPingResponseAsync();
        host.Grains.Settle(0);
        for (var id = 1; id <= 6; id++)
        {
            Assert.Equal($"4002{id:X4}", await client.ReceivePacketAsync());
        }
    }

    [Fact]
    public async Task A_publish_that_is_not_stored_closes_the_connection_and_nothing_after_it_is_acknowledged()
    {
        await using var host = await EdgeHost.StartAsync();
        host.Grains.HoldsAppends = true;
        using var client = await host.ConnectAsync();
        await client.SendAsync(string.Concat(Enumerable.Range(1, 3).Select(id => RawClient.PublishPacket("a", "x", 5, id))));
        await host.Grains.When(() => host.Grains.Held.Count == 3);
        host.Grains.Settle(2);
        host.Grains.Settle(1, "the broker refused it");
        await client.ExpectOnlyPingResponseAsync();
        host.Grains.Settle(0);
        var received = await client.ReceiveUntilClosedAsync();
        Assert.StartsWith("40020001E0", received, StringComparison.Ordinal);
        Assert.Equal("83", received[12..14]);
    }

    [Fact]
    public async Task A_publish_that_the_log_never_takes_is_refused_and_the_others_are_acknowledged_in_order()
    {
        await using var host = await EdgeHost.StartAsync(null, ("ReceiveMaximum", "3"));
        host.Grains.HoldsAppends = true;
        using var client = await host.ConnectAsync();
        for (var round = 0; round < 3; round++)
        {
            await client.SendAsync(RawClient.PublishPacket("a", "x", 5, 0) + string.Concat(Enumerable.Range(1, 3).Select(id => RawClient.PublishPacket("a", "x", 5, id))));
            var first = round * 4;
            await host.Grains.When(() => host.Grains.Held.Count == first + 4);
            host.Grains.Refuse(first);
            host.Grains.Refuse(first + 2);
            host.Grains.Settle(first + 3);
            host.Grains.Settle(first + 1);
            Assert.Equal("40020001", await client.ReceivePacketAsync());
            Assert.StartsWith("4028000297" + "241F0021", await client.ReceivePacketAsync(), StringComparison.Ordinal);
            Assert.Equal("40020003", await client.ReceivePacketAsync());
            await client.ExpectOnlyPingResponseAsync();
        }
    }

    [Fact]
    public async Task A_client_of_MQTT_3_1_1_cannot_be_told_that_a_publish_is_refused_and_is_closed()
    {
        await using var host = await EdgeHost.StartAsync();
        host.Grains.HoldsAppends = true;
        using var client = await host.ConnectAsync(version: 4);
        await client.SendAsync(RawClient.PublishPacket("a", "x", 4, 1) + RawClient.PublishPacket("a", "x", 4, 2));
        await host.Grains.When(() => host.Grains.Held.Count == 2);
        host.Grains.Settle(1);
        host.Grains.Refuse(0);
        Assert.Equal("", await client.ReceiveUntilClosedAsync());
    }

    [Fact]
    public async Task Publishes_of_one_packet_to_one_topic_travel_as_one_batch_and_keep_their_order()
    {
        await using var host = await EdgeHost.StartAsync();
        using var client = await host.ConnectAsync();
        await client.SendAsync(string.Concat(Enumerable.Range(1, 500).Select(id => RawClient.PublishPacket($"t{id / 100}", $"{id}", 5, id))));
        for (var id = 1; id <= 500; id++)
        {
            Assert.Equal($"4002{id:X4}", await client.ReceivePacketAsync());
        }

        Assert.Equal(Enumerable.Range(1, 500).Select(id => $"{id}"), host.Grains.Published.Select(message => System.Text.Encoding.UTF8.GetString(message.Payload.Span)));
    }

    [Fact]
    public async Task A_client_that_exceeds_Receive_Maximum_is_told()
    {
        await using var host = await EdgeHost.StartAsync(null, ("ReceiveMaximum", "3"));
        host.Grains.HoldsAppends = true;
        using var client = await host.ConnectAsync();
        await client.SendAsync(string.Concat(Enumerable.Range(1, 3).Select(id => RawClient.PublishPacket("a", "x", 5, id))));
        await host.Grains.When(() => host.Grains.Held.Count == 3);
        host.Grains.Settle(0);
        Assert.Equal("40020001", await client.ReceivePacketAsync());
        await client.SendAsync(RawClient.PublishPacket("a", "x", 5, 4));
        await host.Grains.When(() => host.Grains.Held.Count == 4);
        await client.SendAsync(RawClient.PublishPacket("a", "x", 5, 5));
        Assert.Equal("93", (await client.ReceiveUntilClosedAsync())[4..6]);
    }

    [Fact]
    public async Task A_flood_that_the_log_does_not_take_is_left_in_the_socket_and_flows_again_later()
    {
        const int Limit = 64 * 1024;
        await using var host = await EdgeHost.StartAsync(null, ("MaximumPacketSize", "16384"), ("ConnectionPublishBytes", $"{Limit}"));
        host.Grains.HoldsAppends = true;
        using var flooding = await host.ConnectAsync("flood", 4);
        var packet = Convert.FromHexString(RawClient.PublishPacket("a", new string('x', 8000), 4));
        const int Count = 4000;
        var sending = Task.Run(async () =>
        {
            for (var i = 0; i < Count; i++)
            {
                await flooding.SendAsync(packet);
            }
        });
        await host.Grains.When(() => host.Grains.Held.Count > 0);

        // Another connection is not touched by it, and its pings are answered although its own publish waits.
        using var calm = await host.ConnectAsync("calm");
        await calm.SendAsync(RawClient.PublishPacket("b", "x", 5, 1));
        await calm.ExpectOnlyPingResponseAsync();
        await host.Grains.When(() => host.Grains.Published.Any(message => message.Topic == "b"));
        Assert.False(sending.IsCompleted);
        Assert.True(host.Grains.Published.Count(message => message.Topic == "a") <= Limit / (packet.Length + 128));
        Assert.True(host.Context.Credits.Outstanding <= 2 * Limit);

        host.Grains.HoldsAppends = false;
        for (var i = host.Grains.Held.Count - 1; i >= 0; i--)
        {
            host.Grains.Settle(i);
        }

        await sending.WaitAsync(TimeSpan.FromSeconds(20));
        await host.Grains.When(() => host.Grains.Published.Count(message => message.Topic == "a") == Count);
        Assert.Equal("40020001", await calm.ReceivePacketAsync());
    }

    [Fact]
    public async Task All_connections_together_stay_within_the_total_and_nobody_starves()
    {
        await using var host = await EdgeHost.StartAsync(
            null, ("MaximumPacketSize", "16384"), ("ConnectionPublishBytes", "16384"), ("TotalPublishBytes", "32768"));
        host.Grains.HoldsAppends = true;
        var clients = new List<RawClient>();
        for (var i = 0; i < 6; i++)
        {
            var client = await host.ConnectAsync($"c{i}");
            clients.Add(client);
            await client.SendAsync(RawClient.PublishPacket($"t{i}", new string('x', 10_000), 5, 1));
        }

        await host.Grains.When(() => host.Grains.Held.Count == 3);
        for (var i = 0; i < 6; i++)
        {
            var settled = i;
            await host.Grains.When(() => host.Grains.Held.Count > settled);
            Assert.True(host.Context.Credits.Outstanding <= 32768);
            host.Grains.Settle(i);
        }

        foreach (var client in clients)
        {
            Assert.Equal("40020001", await client.ReceivePacketAsync());
            client.Dispose();
        }

        Assert.Equal(0, host.Context.Credits.Outstanding);
    }

    [Fact]
    public async Task A_publish_behind_a_subscribe_waits_for_it_and_a_ping_does_not()
    {
        await using var host = await EdgeHost.StartAsync();
        host.Grains.SubscribeGate = new TaskCompletionSource();
        using var client = await host.ConnectAsync();
        await client.SendAsync($"82070001 00 {RawClient.Text("a")} 01 {RawClient.PublishPacket("a", "x", 5, 2)} C000");
        Assert.Equal("D000", await client.ReceivePacketAsync());
        Assert.Empty(host.Grains.Published);
        host.Grains.SubscribeGate.SetResult();
        string[] received = [await client.ReceivePacketAsync(), await client.ReceivePacketAsync(), await client.ReceivePacketAsync()];
        Assert.Contains(RawClient.PublishPacket("a", "x", 5, 1), received);
        Assert.Contains("900400010001", received);
        Assert.Contains("40020002", received);
    }

    [Fact]
    public async Task What_MQTT_5_says_about_a_message_arrives_with_it()
    {
        const string Properties = "0101 0200000064 0300026374 0800017A 0900020102 26000161000162 26000161000163";
        await using var host = await EdgeHost.StartAsync();
        using var client = await host.ConnectAsync();
        await client.SendAsync($"82070001 00 {RawClient.Text("a")} 00");
        Assert.Equal("900400010000", await client.ReceivePacketAsync());
        var properties = Properties.Replace(" ", "", StringComparison.Ordinal);
        var packet = $"30{4 + (properties.Length / 2) + 1:X2}000161{properties.Length / 2:X2}{properties}58";
        await client.SendAsync(packet);
        Assert.Equal(packet, await client.ReceivePacketAsync());
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    public async Task Packets_may_be_split_anywhere(int version)
    {
        await using var host = await EdgeHost.StartAsync();
        var stream = Convert.FromHexString((RawClient.ConnectPacket("c", version)
            + RawClient.PublishPacket("a/b", "first", version, 1)
            + RawClient.PublishPacket("a/b", new string('y', 200), version)
            + $"A2{(version == 5 ? "08" : "07")}0003{(version == 5 ? "00" : "")}{RawClient.Text("a/b")}"
            + "C000"
            + RawClient.PublishPacket("c", "", version, 2)
            + "E000").Replace(" ", "", StringComparison.Ordinal));
        for (var split = 0; split < stream.Length; split++)
        {
            using var client = await host.OpenAsync();
            await client.SendAsync(stream.AsMemory(0, split));
            if (split % 2 == 1)
            {
                await Task.Yield();
            }

            await client.SendAsync(stream.AsMemory(split));
            await host.Grains.When(() => host.Grains.Published.Count == 3);
            await client.ReceiveUntilClosedAsync();
            var published = string.Join(' ', host.Grains.Published.Select(message => $"{message.Topic}:{message.Payload.Length}:{message.QoS}"));
            Assert.Equal("a/b:5:1 a/b:200:0 c:0:1", published);
            await host.Grains.When(() => host.Grains.Calls.Contains("disconnect c Normal"));
            host.Grains.Change(() =>
            {
                host.Grains.Published.Clear();
                host.Grains.ClearCalls();
            });
        }
    }

    [Fact]
    public async Task A_packet_of_the_greatest_size_passes_through()
    {
        await using var host = await EdgeHost.StartAsync(null, ("MaximumPacketSize", "3000000"), ("ConnectionPublishBytes", "3000000"), ("ConnectionOutboundBytes", "10000000"));
        using var client = await host.ConnectAsync();
        await client.SendAsync($"82070001 00 {RawClient.Text("a")} 01");
        await client.ReceivePacketAsync();
        var payload = new string('z', 3_000_000 - 5 - 6);
        await client.SendAsync(RawClient.PublishPacket("a", payload, 5, 1));
        string[] received = [await client.ReceivePacketAsync(), await client.ReceivePacketAsync()];
        Assert.Contains(RawClient.PublishPacket("a", payload, 5, 1), received);
        Assert.Contains("40020001", received);
    }
}
