using System.Text;

namespace OrleansMqtt.Edge.Tests;

/// <summary>QoS 2 from clients whose sessions end with their connections: the edge itself knows the packet identifiers.</summary>
public sealed class QoS2ReceivingTests
{
    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    public async Task A_message_that_is_sent_again_is_stored_once_and_answered_each_time(int version)
    {
        await using var host = await EdgeHost.StartAsync();
        host.Grains.HoldsAppends = true;
        using var client = await host.ConnectAsync(version: version);
        await client.SendAsync(Publish("x", version, 1) + Publish("x", version, 1, isDuplicate: true) + Publish("y", version, 2));
        await host.Grains.When(() => host.Grains.Held.Count == 2);
        host.Grains.Settle(1);
        await client.ExpectOnlyPingResponseAsync();
        host.Grains.Settle(0);
        Assert.Equal("50020001", await client.ReceivePacketAsync());
        Assert.Equal("50020001", await client.ReceivePacketAsync());
        Assert.Equal("50020002", await client.ReceivePacketAsync());
        await client.SendAsync(Publish("x", version, 1, isDuplicate: true));
        Assert.Equal("50020001", await client.ReceivePacketAsync());
        Assert.Equal(["x2", "y2"], host.Grains.Published.Select(message => $"{Text(message)}{message.QoS}"));
        Assert.Empty(host.Grains.QoS2Batches);

        await client.SendAsync("62020001");
        Assert.Equal("70020001", await client.ReceivePacketAsync());
        await client.SendAsync("62020001");
        Assert.Equal(version == 5 ? RawClient.NotFoundPacket("70", 1) : "70020001", await client.ReceivePacketAsync());

        host.Grains.HoldsAppends = false;
        await client.SendAsync(Publish("z", version, 1));
        Assert.Equal("50020001", await client.ReceivePacketAsync());
        Assert.Equal("z", Text(host.Grains.Published[^1]));
        Assert.Equal(0, host.Context.Credits.Outstanding);
    }

    [Fact]
    public async Task A_release_that_does_not_wait_for_PUBREC_is_answered_when_the_message_is_stored()
    {
        await using var host = await EdgeHost.StartAsync();
        host.Grains.HoldsAppends = true;
        using var client = await host.ConnectAsync();
        await client.SendAsync(Publish("x", 5, 1) + "62020001" + Publish("y", 5, 1));
        await host.Grains.When(() => host.Grains.Held.Count == 2);
        await client.ExpectOnlyPingResponseAsync();
        host.Grains.Settle(1);
        host.Grains.Settle(0);
        Assert.Equal("50020001", await client.ReceivePacketAsync());
        Assert.Equal("70020001", await client.ReceivePacketAsync());
        Assert.Equal("50020001", await client.ReceivePacketAsync());
    }

    [Fact]
    public async Task Answers_of_all_QoS_keep_the_order_of_receipt()
    {
        await using var host = await EdgeHost.StartAsync();
        host.Grains.HoldsAppends = true;
        using var client = await host.ConnectAsync();
        await client.SendAsync(string.Concat(Enumerable.Range(1, 6).Select(id => RawClient.PublishPacket("a", "x", 5, id, 1 + (id % 2)))));
        await host.Grains.When(() => host.Grains.Held.Count == 6);
        for (var i = 5; i >= 0; i--)
        {
            host.Grains.Settle(i);
        }

        for (var id = 1; id <= 6; id++)
        {
            Assert.Equal($"{(id % 2 == 1 ? "50" : "40")}02{id:X4}", await client.ReceivePacketAsync());
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Receive_Maximum_counts_a_message_once_and_until_PUBCOMP(bool isStored)
    {
        await using var host = await EdgeHost.StartAsync(null, ("ReceiveMaximum", "2"));
        using var client = isStored ? await host.ConnectStoredAsync() : await host.ConnectAsync();
        await client.SendAsync(Publish("x", 5, 1) + Publish("x", 5, 2) + Publish("x", 5, 2, isDuplicate: true) + Publish("x", 5, 1, isDuplicate: true));
        foreach (var id in (int[])[1, 2, 2, 1])
        {
            Assert.Equal($"5002{id:X4}", await client.ReceivePacketAsync());
        }

        await client.SendAsync("62020001");
        Assert.Equal("70020001", await client.ReceivePacketAsync());
        await client.SendAsync("62020009");
        Assert.Equal(RawClient.NotFoundPacket("70", 9), await client.ReceivePacketAsync());
        await client.SendAsync(RawClient.PublishPacket("a", "x", 5, 3));
        Assert.Equal("40020003", await client.ReceivePacketAsync());
        await client.SendAsync(Publish("x", 5, 4));
        Assert.Equal("50020004", await client.ReceivePacketAsync());
        await client.SendAsync(Publish("x", 5, 5));
        Assert.Equal("93", (await client.ReceiveUntilClosedAsync())[4..6]);
    }

    [Fact]
    public async Task A_client_of_MQTT_311_may_use_every_packet_identifier()
    {
        await using var host = await EdgeHost.StartAsync(null, ("ReceiveMaximum", "2"));
        using var client = await host.ConnectAsync(version: 4);
        var sending = client.SendAsync(string.Concat(Enumerable.Range(1, ushort.MaxValue).Select(id => Publish("x", 4, id))));
        for (var id = 1; id <= ushort.MaxValue; id++)
        {
            Assert.Equal($"5002{id:X4}", await client.ReceivePacketAsync());
        }

        await sending;
        await client.ExpectOnlyPingResponseAsync();
    }

    [Fact]
    public async Task A_message_that_is_not_stored_closes_the_connection_without_PUBREC()
    {
        await using var host = await EdgeHost.StartAsync();
        host.Grains.HoldsAppends = true;
        using var client = await host.ConnectAsync();
        await client.SendAsync(Publish("x", 5, 1) + Publish("x", 5, 1, isDuplicate: true));
        await host.Grains.When(() => host.Grains.Held.Count == 1);
        host.Grains.Settle(0, "the broker refused it");
        var received = await client.ReceiveUntilClosedAsync();
        Assert.True(received.StartsWith("E0", StringComparison.Ordinal) && received[4..6] == "83", received);
    }

    [Fact]
    public async Task A_message_that_the_log_never_takes_is_refused_with_PUBREC_and_its_packet_identifier_is_free()
    {
        await using var host = await EdgeHost.StartAsync(null, ("ReceiveMaximum", "1"));
        host.Grains.HoldsAppends = true;
        using var client = await host.ConnectAsync();
        for (var i = 0; i < 3; i++)
        {
            await client.SendAsync(Publish("x", 5, 1));
            await host.Grains.When(() => host.Grains.Held.Count == i + 1);
            host.Grains.Refuse(i);
            Assert.StartsWith("5028000197", await client.ReceivePacketAsync(), StringComparison.Ordinal);
        }

        await client.SendAsync("62020001");
        Assert.StartsWith("70", await client.ReceivePacketAsync(), StringComparison.Ordinal);
    }

    private static string Publish(string payload, int version, int packetId, bool isDuplicate = false)
        => RawClient.PublishPacket("a", payload, version, packetId, 2, isDuplicate);

    private static string Text(MqttMessage message) => Encoding.UTF8.GetString(message.Payload.Span);
}
