namespace OrleansMqtt.Conformance.Tests.Delivery;

/// <summary>The Receive Maximum of the server.</summary>
public sealed class ServerReceiveMaximumTests(ConformanceServer server) : ConformanceTests(server)
{
    [Fact]
    [Statement(V5, "section 3.2.2.3.3", "MQTT-3.3.4-7", "MQTT-3.14.4-1")]
    public async Task More_unfinished_messages_than_it_allows_end_the_connection_and_publish_the_will()
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(V5, topic, 1);
        var publisher = await ConnectAsync(new Connect(V5, NewClientId()) { Will = new(topic, "will") });
        await publisher.SendAsync([.. Enumerable.Range(1, MaximumOf(publisher) + 1).Select(i => Message(i))]);
        await publisher.ExpectCloseAsync(0x93);
        Assert.Equal("will", await subscriber.ReceiveTextAsync());
    }

    [Fact]
    [Statement(V5, "section 4.9", "MQTT-4.9.0-3")]
    public async Task As_many_unfinished_messages_as_it_allows_are_taken_and_a_finished_one_makes_place_for_another()
    {
        var publisher = await ConnectAsync(V5);
        var maximum = MaximumOf(publisher);
        await publisher.SendAsync([.. Enumerable.Range(1, maximum).Select(i => Message(i))]);
        for (var i = 1; i <= maximum; i++)
        {
            Assert.Equal(i, (await publisher.ReceiveAsync<PubRec>()).PacketId);
        }

        await publisher.PingAsync();
        await publisher.SendAsync(new PubRel(1).Encode());
        Assert.Equal(1, (await publisher.ReceiveAsync<PubComp>()).PacketId);
        await publisher.SendAsync(Message(maximum + 1));
        Assert.Equal(maximum + 1, (await publisher.ReceiveAsync<PubRec>()).PacketId);
        await publisher.SendAsync(new Publish(NewTopic(), "QoS 0 does not count").Encode(V5));
        await publisher.PingAsync();
    }

    private static byte[] Message(int packetId) => new Publish("conformance/unfinished", "message") { QoS = 2, PacketId = (ushort)packetId }.Encode(V5);

    /// <summary>Without a limit of the server there are not enough packet identifiers to exceed it.</summary>
    private static int MaximumOf(Client client)
    {
        var maximum = client.ConnAck.Properties.Number(PropertyId.ReceiveMaximum);
        Assert.NotNull(maximum);
        Assert.InRange(maximum.Value, 1u, 60_000u);
        return (int)maximum;
    }
}
