using System.Text;
using Microsoft.Extensions.Time.Testing;

namespace OrleansMqtt.Edge.Tests;

public sealed class DeliveryTests
{
    [Fact]
    public async Task A_slow_client_costs_a_bounded_memory_and_loses_QoS_0_only()
    {
        const int Limit = 128 * 1024;
        await using var host = await EdgeHost.StartAsync(null, ("ConnectionOutboundBytes", $"{Limit}"));
        using var client = await host.ConnectAsync();
        var id = host.Grains.Client("c").ConnectionId!.Value;
        var output = host.Context.Connections.Find(id)!.Output;
        var message = Message("a", new string('x', 16_000));
        var deliveries = 0;
        ushort packetId = 0;
        while (output.QueuedBytes <= Limit || deliveries < 3000)
        {
            Assert.Equal(DeliveryResult.Accepted, host.Grains.Send(id, (message, 0, 0)));
            deliveries++;
            Assert.True(output.QueuedBytes <= Limit + 17_000);
            if (deliveries % 1000 == 0)
            {
                host.Grains.Send(id, (Message("b", "kept"), ++packetId, 1));
            }
        }

        host.Grains.Send(id, (Message("b", "last"), ++packetId, 1));
        var received = 0;
        var kept = 0;
        while (kept < packetId)
        {
            var packet = await client.ReceivePacketAsync();
            if (packet.StartsWith("32", StringComparison.Ordinal))
            {
                Assert.Equal($"{++kept:X4}", packet[10..14]);
            }
            else
            {
                received++;
            }
        }

        Assert.InRange(received, 1, deliveries - 1);
        await client.ExpectOnlyPingResponseAsync();
    }

    [Fact]
    public async Task A_client_that_does_not_read_cannot_hold_its_connection_after_a_takeover()
    {
        await using var host = await EdgeHost.StartAsync();
        using var stuck = await host.ConnectAsync();
        var connection = host.Context.Connections.Find(host.Grains.Client("c").ConnectionId!.Value)!;
        while (connection.Output.QueuedBytes <= host.Context.Options.ConnectionOutboundBytes)
        {
            host.Grains.Send(connection.Id, (Message("a", new string('x', 16_000)), 0, 0));
        }

        using var next = await host.ConnectAsync();
        await next.ExpectOnlyPingResponseAsync();
        await connection.Ended.WaitAsync(RawClient.Timeout);
        Assert.Null(host.Context.Connections.Find(connection.Id));
        await next.ExpectOnlyPingResponseAsync();
    }

    [Fact]
    public async Task A_message_larger_than_the_client_takes_is_not_sent_and_counts_as_delivered()
    {
        await using var host = await EdgeHost.StartAsync();
        using var client = await host.ConnectAsync(properties: "2700000014");
        var id = host.Grains.Client("c").ConnectionId!.Value;
        host.Grains.Send(id, (Message("a", new string('x', 13)), 1, 1), (Message("a", new string('x', 12)), 2, 1), (Message("a", new string('x', 15)), 0, 0));
        Assert.Equal(RawClient.PublishPacket("a", new string('x', 12), 5, 2), await client.ReceivePacketAsync());
        await host.Grains.When(() => host.Grains.Acknowledgements.Count == 1);
        Assert.Equal((1, AcknowledgementKind.NotSent), (host.Grains.Acknowledgements[0].PacketId, host.Grains.Acknowledgements[0].Kind));
        await client.ExpectOnlyPingResponseAsync();
    }

    [Fact]
    public async Task A_message_that_has_expired_is_not_sent_and_one_that_has_not_says_what_is_left()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
        await using var host = await EdgeHost.StartAsync(time);
        using var client = await host.ConnectAsync();
        var id = host.Grains.Client("c").ConnectionId!.Value;
        var stored = time.GetUtcNow().ToUnixTimeMilliseconds() - 10_500;
        host.Grains.Send(id, (Message("a", "x", stored, 10), 1, 1), (Message("a", "y", stored, 30), 2, 1));
        Assert.Equal("320C 000161 0002 05 0200000014 79".Replace(" ", ""), await client.ReceivePacketAsync());
        await host.Grains.When(() => host.Grains.Acknowledgements.Count == 1);
        Assert.Equal((1, AcknowledgementKind.NotSent), (host.Grains.Acknowledgements[0].PacketId, host.Grains.Acknowledgements[0].Kind));
    }

    [Fact]
    public async Task Only_the_next_batch_of_the_newest_generation_is_taken()
    {
        await using var host = await EdgeHost.StartAsync();
        Assert.Equal(DeliveryResult.OutOfSequence, Deliver(host, 5, 1));
        Assert.Equal(DeliveryResult.Accepted, Deliver(host, 5, 0));
        Assert.Equal(DeliveryResult.OutOfSequence, Deliver(host, 5, 0));
        Assert.Equal(DeliveryResult.Accepted, Deliver(host, 5, 1));
        Assert.Equal(DeliveryResult.OutOfSequence, Deliver(host, 5, 3));
        Assert.Equal(DeliveryResult.OutOfSequence, Deliver(host, 6, 2));
        Assert.Equal(DeliveryResult.Accepted, Deliver(host, 6, 0));
        Assert.Equal(DeliveryResult.StaleGeneration, Deliver(host, 5, 2));
        Assert.Equal(DeliveryResult.Accepted, Deliver(host, 4, 0, partition: 9));
    }

    [Fact]
    public async Task Acknowledgements_are_sent_again_until_the_partition_takes_them()
    {
        await using var host = await EdgeHost.StartAsync();
        using var client = await host.ConnectAsync();
        host.Grains.Failure = new TimeoutException("moving");
        await client.SendAsync("40020001 40020002 4003000310");
        await client.ExpectOnlyPingResponseAsync();
        host.Grains.Failure = null;
        await host.Grains.When(() => host.Grains.Acknowledgements.Count == 3);
        Assert.Equal([(1, 0), (2, 0), (3, 16)], host.Grains.Acknowledgements.Select(each => ((int)each.PacketId, (int)each.ReasonCode)));
    }

    [Theory]
    [InlineData(4, "88", "90040001" + "0180")]
    [InlineData(5, "89", "9029000124" + "1F0021" + "41206C696D6974206F66207468652073657276657220697320726561636865642E" + "0197")]
    public async Task A_filter_of_more_levels_than_the_server_keeps_is_refused(int version, string length, string answer)
    {
        await using var host = await EdgeHost.StartAsync();
        using var client = await host.ConnectAsync(version: version);
        var (kept, refused) = (RawClient.Text(string.Join('/', Enumerable.Repeat("+", 256))), RawClient.Text(string.Join('/', Enumerable.Repeat("+", 257))));
        await client.SendAsync($"82{length}08 0001 {(version == 5 ? "00" : "")} {kept} 01 {refused} 01");
        Assert.Equal(answer, await client.ReceivePacketAsync());
    }

    [Fact]
    public async Task Subscriptions_are_answered_one_by_one()
    {
        await using var host = await EdgeHost.StartAsync();
        using var newer = await host.ConnectAsync("n");
        await newer.SendAsync($"820B 0001 00 {RawClient.Text("a")} 02 {RawClient.Text("b")} 00");
        Assert.Equal("90050001000200", await newer.ReceivePacketAsync());
        using var older = await host.ConnectAsync("o", 4);
        await older.SendAsync($"8217 0001 {RawClient.Text("a")} 02 {RawClient.Text("$share/g/f")} 01 {RawClient.Text("b")} 00");
        Assert.Equal("90050001020100", await older.ReceivePacketAsync());
        Assert.Contains("subscribe a:2 b:0", host.Grains.Calls);
        await newer.SendAsync($"A209 0002 00 {RawClient.Text("a")} {RawClient.Text("b")}");
        Assert.Equal("B0050002000000", await newer.ReceivePacketAsync());
        await newer.SendAsync($"A206 0003 00 {RawClient.Text("z")}");
        Assert.Equal("B00400030011", await newer.ReceivePacketAsync());
        await older.SendAsync($"A205 0003 {RawClient.Text("z")}");
        Assert.Equal("B0020003", await older.ReceivePacketAsync());
    }

    [Theory]
    [InlineData(5, "", true)]
    [InlineData(5, "1700", false)]
    [InlineData(5, "2700000019", false)]
    [InlineData(4, "", false)]
    public async Task A_refused_subscription_says_why_where_the_client_wants_to_know_and_takes_it(int version, string properties, bool saysWhy)
    {
        await using var host = await EdgeHost.StartAsync();
        host.Grains.SubscribeCode = 0x87;
        using var client = await host.ConnectAsync(version: version, properties: properties);
        await client.SendAsync(version == 5 ? $"82070001 00 {RawClient.Text("a")} 01" : $"82060001{RawClient.Text("a")}01");
        var answer = await client.ReceivePacketAsync();
        if (version == 4)
        {
            Assert.Equal("9003000180", answer);
        }
        else if (!saysWhy)
        {
            Assert.Equal("900400010087", answer);
        }
        else
        {
            var reason = RawClient.Text("The client may not do this.");
            Assert.Equal($"90220001{(reason.Length / 2) + 1:X2}1F{reason}87", answer);
        }
    }

    private static DeliveryResult Deliver(EdgeHost host, long generation, long sequence, int partition = 3)
        => host.Context.Deliveries.Deliver(
            new DeliveryBatch { SessionPartition = partition, Generation = generation, Sequence = sequence, Messages = [], Deliveries = [] });

    private static MqttMessage Message(string topic, string payload, long timestamp = 0, uint? expiry = null) => new()
    {
        Topic = topic,
        Payload = Encoding.UTF8.GetBytes(payload),
        QoS = 1,
        TimestampMilliseconds = timestamp,
        Properties = expiry is null ? null : new MessageProperties { ExpiryIntervalSeconds = expiry },
    };
}
