namespace OrleansMqtt.Conformance.Tests.Restrictions;

/// <summary>A server that checks whether payloads are what their Payload Format Indicator says (section 3.3.2.3.2).</summary>
public sealed class PayloadFormatTests(RestrictedServer server) : RestrictedConformanceTests(server)
{
    private const byte Invalid = 0x99;
    private static readonly PropertyList Text = new() { { PropertyId.PayloadFormat, 1 } };

    [Fact]
    [Statement(V5, "section 3.3.2.3.2", "MQTT-4.13.1-1")]
    public async Task At_QoS_0_the_connection_ends()
    {
        var client = await ConnectAsync(V5);
        await client.SendAsync(Broken(NewTopic(), 0));
        await client.ExpectCloseAsync(Invalid);
    }

    [Theory, InlineData(null, null), InlineData(0, null), InlineData(null, 40)]
    [Statement(V5, "section 3.3.2.3.2", "MQTT-3.4.2-1", "MQTT-3.4.2-2", "MQTT-3.1.2-29", "MQTT-3.4.2-3")]
    public async Task At_QoS_1_it_is_refused_and_the_connection_goes_on(int? wantsReasons, int? maximumPacketSize)
    {
        var topic = NewTopic();
        Connect connect = new(V5, NewClientId());
        connect = wantsReasons is { } wants ? connect.With(PropertyId.RequestProblemInformation, wants) : connect;
        var client = await ConnectAsync(maximumPacketSize is { } size ? connect.With(PropertyId.MaximumPacketSize, size) : connect);
        var subscriber = await SubscribeAsync(V5, topic, 1);
        await client.SendAsync(Broken(topic, 1, 5), new Publish(topic, "ü") { QoS = 1, PacketId = 6, Properties = Text }.Encode(V5));
        var refused = await client.ReceiveAsync<PubAck>();
        Assert.Equal((5, (int)Invalid), ((int)refused.PacketId, (int)refused.Code));
        Assert.Equal(wantsReasons is null && maximumPacketSize is null, refused.Properties.Text(PropertyId.ReasonString) is not null);
        var accepted = await client.ReceiveAsync<PubAck>();
        Assert.Equal((6, 0), ((int)accepted.PacketId, (int)accepted.Code));
        Assert.Equal("ü", await subscriber.ReceiveTextAsync());
    }

    [Fact]
    [Statement(V5, "section 3.3.2.3.2", "MQTT-3.3.4-7")]
    public async Task What_is_refused_does_not_count_as_in_flight_afterwards()
    {
        var client = await ConnectAsync(V5);
        var maximum = (int)client.ConnAck.Properties.Number(PropertyId.ReceiveMaximum)!;
        for (var sent = 0; sent < (2 * maximum) + 1; sent += 500)
        {
            await client.SendAsync([.. Enumerable.Range(1, 500).Select(id => Broken("t", 1, (ushort)id))]);
            for (var id = 1; id <= 500; id++)
            {
                var refused = await client.ReceiveAsync<PubAck>();
                Assert.Equal((id, (int)Invalid), ((int)refused.PacketId, (int)refused.Code));
            }
        }
    }

    [Fact]
    [Statement(V5, "section 3.3.2.3.2", "section 3.1.3.2.3")]
    public async Task A_will_is_refused()
    {
        // The payload is the last field of CONNECT.
        var connect = new Connect(V5, NewClientId()) { Will = new(NewTopic(), "x") { Properties = Text } }.Encode();
        connect[^1] = 0xFF;
        var client = await OpenAsync(V5);
        await client.SendAsync(connect);
        Assert.Equal(Invalid, (await client.ReceiveAsync<ConnAck>()).Code);
    }

    [Fact]
    [Statement(V5, "section 3.3.2.3.2", "MQTT-3.3.2-4")]
    public async Task Bytes_that_do_not_claim_to_be_text_are_not_checked()
    {
        var client = await ConnectAsync(V5);
        var packet = new Publish(NewTopic(), "x") { QoS = 1, PacketId = 5, Properties = new() { { PropertyId.PayloadFormat, 0 } } }.Encode(V5);
        packet[^1] = 0xFF;
        await client.SendAsync(packet);
        Assert.Equal(0, (await client.ReceiveAsync<PubAck>()).Code);
    }

    /// <summary>A payload that is not UTF-8 although it says so.</summary>
    private static byte[] Broken(string topic, int qoS, ushort packetId = 0)
    {
        var packet = new Publish(topic, "x") { QoS = qoS, PacketId = packetId, Properties = Text }.Encode(V5);
        packet[^1] = 0xFF;
        return packet;
    }
}
