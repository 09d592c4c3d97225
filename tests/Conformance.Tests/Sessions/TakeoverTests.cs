namespace OrleansMqtt.Conformance.Tests.Sessions;

/// <summary>A second connection with the client identifier of a first.</summary>
public sealed class TakeoverTests(ConformanceServer server) : ConformanceTests(server)
{
    [Theory, InlineData(V311, V311), InlineData(V5, V5), InlineData(V311, V5), InlineData(V5, V311)]
    [Statement(V311, "MQTT-3.1.4-2")]
    [Statement(V5, "MQTT-3.1.4-3", "MQTT-3.14.2-1", "MQTT-3.14.2-2", "MQTT-3.14.4-1", "MQTT-3.14.4-2")]
    public async Task The_first_connection_is_closed_and_an_MQTT_5_client_learns_why(MqttVersion first, MqttVersion second)
    {
        var clientId = NewClientId();
        var loser = await ConnectAsync(new Connect(first, clientId));
        var winner = await ConnectAsync(new Connect(second, clientId));
        if (first is V5)
        {
            var reason = await loser.ReceiveAsync<Disconnect>();
            Assert.Equal(0x8E, reason.Code);
            Assert.Null(reason.Properties.Number(PropertyId.SessionExpiry));
        }

        Assert.Null(await loser.ReadAsync());
        await winner.PingAsync();
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-3.1.2-4", "MQTT-3.2.2-2", "MQTT-4.4.0-1")]
    [Statement(V5, "MQTT-3.1.2-5", "MQTT-3.2.2-3", "MQTT-4.4.0-1")]
    public async Task The_session_goes_on_with_what_the_first_connection_had_not_acknowledged(MqttVersion version)
    {
        var (connect, topic) = (Connect.Durable(version, NewClientId()), NewTopic());
        var loser = await SubscribeAsync(connect, topic, 2);
        await PublishAsync(topic, 1, "1");
        await PublishAsync(topic, 2, "2", "3");
        var first = await loser.ReceiveMessagesAsync(3);
        await loser.SendAsync(new PubRec(first[1].PacketId).Encode());
        await loser.ReceiveAsync<PubRel>();

        var winner = await ConnectAsync(connect);
        Assert.True(winner.ConnAck.IsSessionPresent);
        List<Packet> again = [await winner.ReceiveAsync<Packet>(), await winner.ReceiveAsync<Packet>(), await winner.ReceiveAsync<Packet>()];
        Assert.Equal([(first[0].PacketId, "1", true), (first[2].PacketId, "3", true)], again.OfType<Publish>().Select(message => (message.PacketId, message.Payload, message.IsDuplicate)));
        Assert.Equal(first[1].PacketId, Assert.Single(again.OfType<PubRel>()).PacketId);
        await PublishAsync(topic, 1, "4");
        Assert.Equal("4", await winner.ReceiveTextAsync());
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-3.1.2-6", "MQTT-3.2.2-1", "MQTT-3.1.4-2")]
    [Statement(V5, "MQTT-3.1.2-4", "MQTT-3.2.2-2", "MQTT-3.1.4-3")]
    public async Task A_takeover_with_a_clean_start_discards_the_session_of_the_first_connection(MqttVersion version)
    {
        var (connect, topic) = (Connect.Durable(version, NewClientId()), NewTopic());
        var loser = await SubscribeAsync(connect, topic, 1);
        await PublishAsync(topic, 1, "1");
        await loser.ReceiveAsync<Publish>();

        var winner = await ConnectAsync(connect with { IsCleanStart = true });
        Assert.False(winner.ConnAck.IsSessionPresent);
        var witness = await SubscribeAsync(V5, topic, 0);
        await PublishAsync(topic, 1, "2");
        Assert.Equal("2", await witness.ReceiveTextAsync());
        await winner.ExpectNothingAsync();
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-3.1.2-6", "MQTT-3.2.2-3")]
    [Statement(V5, "section 3.1.2.11.2", "MQTT-3.2.2-3", "MQTT-4.1.0-2")]
    public async Task A_session_that_lasts_as_long_as_its_connection_ends_with_the_takeover(MqttVersion version)
    {
        var (connect, topic) = (Connect.Durable(version, NewClientId()), NewTopic());
        await SubscribeAsync(new Connect(version, connect.ClientId), topic, 1);
        var winner = await ConnectAsync(connect);
        Assert.False(winner.ConnAck.IsSessionPresent);
        var witness = await SubscribeAsync(V5, topic, 0);
        await PublishAsync(topic, 1, "1");
        Assert.Equal("1", await witness.ReceiveTextAsync());
        await winner.ExpectNothingAsync();
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-4.3.3-2")]
    [Statement(V5, "MQTT-4.3.3-10")]
    public async Task An_exchange_of_QoS_2_that_the_first_connection_began_is_completed_by_the_second(MqttVersion version)
    {
        var (connect, topic) = (Connect.Durable(version, NewClientId()), NewTopic());
        var subscriber = await SubscribeAsync(version, topic, 2);
        var message = new Publish(topic, "once") { QoS = 2, PacketId = 9 };
        var loser = await ConnectAsync(connect);
        await loser.SendAsync(message.Encode(version));
        await loser.ReceiveAsync<PubRec>();

        var winner = await ConnectAsync(connect);
        await winner.SendAsync((message with { IsDuplicate = true }).Encode(version));
        Assert.Equal(9, (await winner.ReceiveAsync<PubRec>()).PacketId);
        await winner.SendAsync(new PubRel(9).Encode());
        Assert.Equal(9, (await winner.ReceiveAsync<PubComp>()).PacketId);
        await PublishAsync(topic, 2, "next");
        Assert.Equal(["once", "next"], await subscriber.ReceiveTextsAsync(2));
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-3.1.4-2")]
    [Statement(V5, "MQTT-3.1.4-3")]
    public async Task Of_many_connections_at_once_one_stays(MqttVersion version)
    {
        var connect = Connect.Durable(version, NewClientId());
        var clients = await Task.WhenAll(Enumerable.Range(0, 20).Select(async _ =>
        {
            var client = await Client.OpenAsync(EndPoint, version);
            await client.SendAsync(connect.Encode());
            return client;
        }));
        List<Task<Disconnect?>> closed = [.. clients.Select(client => client.ReceiveCloseAsync())];
        var open = closed.ToList();
        while (open.Count > 1)
        {
            var first = await Task.WhenAny(open);
            await first;
            open.Remove(first);
        }

        var winner = clients[closed.IndexOf(Assert.Single(open))];
        await winner.SendAsync(new Disconnect(0, []).Encode(version));
        Assert.Null(await Assert.Single(open));
        foreach (var client in clients)
        {
            client.Dispose();
        }

        Assert.True((await ConnectAsync(connect)).ConnAck.IsSessionPresent);
    }
}
