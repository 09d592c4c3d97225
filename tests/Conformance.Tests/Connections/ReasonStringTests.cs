namespace OrleansMqtt.Conformance.Tests.Connections;

/// <summary>Reason Strings: where the client wants them and its Maximum Packet Size has room for them. User Properties of the client, which tell the server nothing.</summary>
public sealed class ReasonStringTests(ConformanceServer server) : ConformanceTests(server)
{
    private const int Small = 30;

    [Theory, InlineData(0, Small), InlineData(0, null), InlineData(1, Small), InlineData(1, null), InlineData(null, Small)]
    [Statement(V5, "MQTT-3.1.2-29", "MQTT-3.7.2-2", "MQTT-3.6.2-2", "MQTT-3.1.2-24", "MQTT-3.6.2-3", "MQTT-3.7.2-3")]
    public async Task An_acknowledgement_has_one_only_if_it_is_wanted_and_fits(int? wanted, int? maximumPacketSize)
    {
        var client = await ConnectAsync(Create(wanted, maximumPacketSize));
        await client.SendAsync(new PubRel(77).Encode());
        Check(await client.ReceiveAsync<PubComp>());
        await client.SendAsync(new PubRec(78).Encode());
        Check(await client.ReceiveAsync<PubRel>());

        void Check(AcknowledgementPacket answer)
        {
            Assert.Equal(0x92, answer.Code);
            Assert.True(wanted != 0 || (answer.Properties.Text(PropertyId.ReasonString) is null && !answer.Properties.UserProperties.Any()), $"{answer}");
            Assert.True(answer.Size <= (maximumPacketSize ?? int.MaxValue), $"{answer} has {answer.Size} bytes.");
        }
    }

    [Fact]
    [Statement(V5, "MQTT-3.11.2-1", "MQTT-3.11.2-2", "MQTT-3.11.3-2")]
    public async Task UNSUBACK_tells_no_more_than_its_codes()
    {
        var (client, topic) = (await ConnectAsync(Create(null, Small)), NewTopic());
        await client.SendAsync(RawPackets.Request(V5, 0xA2, 1, [], [.. Enumerable.Range(0, 20).Select(i => RawPackets.Field($"{topic}/{i}"))]));
        var answer = await client.ReceiveAsync<UnsubAck>();
        Assert.Empty(answer.Properties);
        Assert.Equal(Enumerable.Repeat((byte)0x11, 20), answer.Codes);
        Assert.InRange(answer.Size, 0, Small);
    }

    [Theory, InlineData(Small), InlineData(null)]
    [Statement(V5, "MQTT-3.14.2-3", "MQTT-3.14.2-4", "MQTT-3.1.2-24")]
    public async Task DISCONNECT_is_never_larger_than_the_client_takes(int? maximumPacketSize)
    {
        var client = await ConnectAsync(Create(null, maximumPacketSize));
        await client.SendAsync(new Publish($"{NewTopic()}/#", "").Encode(V5));
        var reason = await client.ReceiveCloseAsync();
        Assert.NotNull(reason);
        Assert.Equal(0x81, reason.Code);
        Assert.True(reason.Size <= (maximumPacketSize ?? int.MaxValue), $"{reason} has {reason.Size} bytes.");
    }

    [Theory, InlineData(Small), InlineData(null)]
    [Statement(V5, "MQTT-3.2.2-19", "MQTT-3.2.2-20", "MQTT-3.1.2-24")]
    public async Task CONNACK_is_never_larger_than_the_client_takes(int? maximumPacketSize)
    {
        var client = await OpenAsync(V5);
        await client.SendAsync((Create(null, maximumPacketSize) with { Will = new("a/#", "") }).Encode());
        if (await client.ReadAsync() is { } answer)
        {
            Assert.True(answer is ConnAck { Code: >= 0x80 } && answer.Size <= (maximumPacketSize ?? int.MaxValue), $"{answer} has {answer.Size} bytes.");
        }
    }

    [Fact]
    [Statement(V5, "section 3.1.2.11.8", "section 3.8.2.1.3", "section 3.10.2.1.2", "section 3.4.2.2.3", "section 3.5.2.2.3", "section 3.7.2.2.3", "section 3.14.2.2.4")]
    public async Task A_client_may_send_User_Properties_and_Reason_Strings_wherever_they_are_allowed()
    {
        var topic = NewTopic();
        PropertyList user = new() { { PropertyId.UserProperty, ("b", "1") }, { PropertyId.UserProperty, ("a", "") }, { PropertyId.UserProperty, ("b", "1") } };
        PropertyList both = [.. user, KeyValuePair.Create<PropertyId, object>(PropertyId.ReasonString, "why")];
        var client = await ConnectAsync(new Connect(V5, NewClientId()) { Properties = user });
        await client.SubscribeAsync(topic, 2, properties: user);
        await PublishAsync(topic, 1, "1");
        var message = await client.ReceiveAsync<Publish>();
        await client.SendAsync(new PubAck(message.PacketId, 0, both).Encode());
        await PublishAsync(topic, 2, "2");
        message = await client.ReceiveAsync<Publish>();
        await client.SendAsync(new PubRec(message.PacketId, 0, both).Encode());
        Assert.Equal(message.PacketId, (await client.ReceiveAsync<PubRel>()).PacketId);
        await client.SendAsync(new PubComp(message.PacketId, 0, both).Encode());
        await client.SendAsync(new Publish(NewTopic(), "") { QoS = 2, PacketId = 9, Properties = user }.Encode(V5));
        Assert.Equal(9, (await client.ReceiveAsync<PubRec>()).PacketId);
        await client.SendAsync(new PubRel(9, 0, both).Encode());
        var completed = await client.ReceiveAsync<PubComp>();
        Assert.Equal((9, 0), ((int)completed.PacketId, (int)completed.Code));
        await client.SendAsync(new Unsubscribe(10, topic) { Properties = user }.Encode(V5));
        Assert.Equal(10, (await client.ReceiveAsync<UnsubAck>()).PacketId);
        await client.DisconnectAsync(properties: both);
    }

    private static Connect Create(int? wanted, int? maximumPacketSize)
    {
        Connect connect = new(V5, NewClientId());
        connect = wanted is { } value ? connect.With(PropertyId.RequestProblemInformation, value) : connect;
        return maximumPacketSize is { } size ? connect.With(PropertyId.MaximumPacketSize, size) : connect;
    }
}
