using System.Diagnostics.Metrics;
using System.Text;

namespace OrleansMqtt.Edge.Tests;

/// <summary>QoS 2 to clients.</summary>
public sealed class QoS2SendingTests
{
    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    public async Task Messages_and_releases_keep_the_order_of_their_batch(int version)
    {
        await using var host = await EdgeHost.StartAsync();
        using var client = await host.ConnectAsync(version: version);
        var id = host.Grains.Client("c").ConnectionId!.Value;
        var result = host.Grains.Send(
            [Message("x"), Message("y")],
            [
                new Delivery(id, Delivery.Release, 7, 0, false),
                new Delivery(id, 0, 1, 2, false),
                new Delivery(id, Delivery.Release, 8, 0x92, false),
                new Delivery(id, 1, 2, 2, true),
                new Delivery(id, 1, 3, 1, false),
            ]);
        Assert.Equal(DeliveryResult.Accepted, result);
        Assert.Equal("62020007", await client.ReceivePacketAsync());
        Assert.Equal(RawClient.PublishPacket("a", "x", version, 1, 2), await client.ReceivePacketAsync());
        Assert.Equal(version == 5 ? RawClient.NotFoundPacket("62", 8) : "62020008", await client.ReceivePacketAsync());
        Assert.Equal(RawClient.PublishPacket("a", "y", version, 2, 2, isDuplicate: true), await client.ReceivePacketAsync());
        Assert.Equal(RawClient.PublishPacket("a", "y", version, 3), await client.ReceivePacketAsync());
    }

    [Fact]
    public async Task The_session_hears_PUBREC_and_PUBCOMP_in_order()
    {
        await using var host = await EdgeHost.StartAsync();
        using var client = await host.ConnectAsync();
        await client.SendAsync("50020001 5003000210 50040003 8000 70020001 7003000492 40020005");
        await host.Grains.When(() => host.Grains.Acknowledgements.Count == 6);
        Assert.Equal(
            ["PubRec 1 0", "PubRec 2 16", "PubRec 3 128", "PubComp 1 0", "PubComp 4 146", "PubAck 5 0"],
            host.Grains.Acknowledgements.Select(each => $"{each.Kind} {each.PacketId} {each.ReasonCode}"));
        await client.ExpectOnlyPingResponseAsync();
    }

    [Fact]
    public async Task A_client_of_MQTT_311_may_send_no_reason_code()
    {
        await using var host = await EdgeHost.StartAsync();
        foreach (var packet in (string[])["5003000100", "6203000100", "7003000100"])
        {
            using var client = await host.ConnectAsync(version: 4);
            await client.SendAsync(packet);
            Assert.Equal("", await client.ReceiveUntilClosedAsync());
        }
    }

    [Fact]
    public async Task A_message_that_cannot_be_sent_counts_as_delivered()
    {
        await using var host = await EdgeHost.StartAsync();
        using var client = await host.ConnectAsync(properties: "2700000014");
        var id = host.Grains.Client("c").ConnectionId!.Value;
        host.Grains.Send(id, (Message(new string('x', 13)), 1, 2), (Message("y"), 2, 2));
        Assert.Equal(RawClient.PublishPacket("a", "y", 5, 2, 2), await client.ReceivePacketAsync());
        await host.Grains.When(() => host.Grains.Acknowledgements.Count == 1);
        Assert.Equal((1, AcknowledgementKind.NotSent), (host.Grains.Acknowledgements[0].PacketId, host.Grains.Acknowledgements[0].Kind));
    }

    [Fact]
    public async Task Messages_are_counted_by_their_QoS()
    {
        await using var host = await EdgeHost.StartAsync();
        using var client = await host.ConnectAsync();
        await client.SendAsync($"82070001 00 {RawClient.Text("a")} 02");
        Assert.Equal("900400010002", await client.ReceivePacketAsync());
        await client.SendAsync(RawClient.PublishPacket("a", "x", 5, 1, 2) + RawClient.PublishPacket("a", "x", 5, 1, 2, isDuplicate: true) + RawClient.PublishPacket("a", "x", 5));
        for (var i = 0; i < 4; i++)
        {
            await client.ReceivePacketAsync();
        }

        await client.ExpectOnlyPingResponseAsync();
        using var listener = new MeterListener();
        var counts = new List<string>();
        var meters = host.Meters;
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Scope == meters && instrument.Name is "mqtt.publishes.received" or "mqtt.publishes.sent")
            {
                self.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            if (instrument.Meter.Scope == meters)
            {
                counts.Add($"{instrument.Name} {tags[0].Value}: {value}");
            }
        });
        listener.Start();
        listener.RecordObservableInstruments();
        Assert.Contains("mqtt.publishes.received 2: 1", counts);
        Assert.Contains("mqtt.publishes.received 0: 1", counts);
        Assert.Contains("mqtt.publishes.sent 2: 1", counts);
    }

    private static MqttMessage Message(string payload) => new() { Topic = "a", Payload = Encoding.UTF8.GetBytes(payload), QoS = 2 };
}
