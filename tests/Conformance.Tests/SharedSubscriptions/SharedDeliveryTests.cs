using System.Diagnostics;

namespace OrleansMqtt.Conformance.Tests.SharedSubscriptions;

/// <summary>Which member of a shared subscription gets a message, and when another one does.</summary>
public sealed class SharedDeliveryTests(ConformanceServer server) : ConformanceTests(server)
{
    [Theory]
    [InlineData(V311, 0), InlineData(V311, 1), InlineData(V311, 2), InlineData(V5, 0), InlineData(V5, 1), InlineData(V5, 2)]
    [Statement(V5, "section 4.8.2")]
    public async Task Each_message_goes_to_one_member(MqttVersion version, int qoS)
    {
        const int Count = 30;
        var topic = NewTopic();
        List<(Client Client, List<string> Received)> members = [];
        for (var i = 0; i < 3; i++)
        {
            members.Add((await SubscribeAsync(version, $"$share/group/{topic}/+", qoS), []));
        }

        for (var i = 0; i < Count; i++)
        {
            await PublishAsync($"{topic}/{i % 2}", qoS, $"{i:D2}");
        }

        for (var watch = Stopwatch.StartNew(); members.Sum(member => member.Received.Count) < Count && watch.Elapsed < Client.Limit;)
        {
            foreach (var (client, received) in members)
            {
                received.AddRange(await client.ReceiveTextsUntilPingAsync());
            }
        }

        foreach (var (client, _) in members)
        {
            await client.ExpectNothingAsync();
        }

        Assert.Equal(Enumerable.Range(0, Count).Select(i => $"{i:D2}"), members.SelectMany(member => member.Received).Order());
        Assert.All(members, member => Assert.InRange(member.Received.Count, 1, Count - 2));
    }

    [Theory, InlineData(0), InlineData(1), InlineData(2)]
    [Statement(V5, "MQTT-4.8.2-3")]
    public async Task Each_member_gets_messages_with_at_most_the_QoS_that_it_was_granted(int qoS)
    {
        var topic = NewTopic();
        var other = await SubscribeAsync(V5, $"$share/group/{topic}", 2);
        var client = await SubscribeAsync(V5, $"$share/group/{topic}", qoS);
        for (var published = 0; published < 4; published++)
        {
            await PublishAsync(topic, 2, $"{published}");
        }

        var (own, others) = (await client.ReceiveAsync<Publish>(), await other.ReceiveAsync<Publish>());
        Assert.Equal((qoS, 2), (own.QoS, others.QoS));
        await client.AcknowledgeAsync(own);
        await other.AcknowledgeAsync(others);
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V5, "MQTT-4.8.2-4")]
    public async Task A_QoS_2_message_that_was_sent_to_a_member_is_completed_with_it_when_it_comes_back(MqttVersion version)
    {
        var (connect, topic) = (Connect.Durable(version, NewClientId()), NewTopic());
        var client = await SubscribeAsync(connect, $"$share/group/{topic}", 2);
        await PublishAsync(topic, 2, "first");
        var first = await client.ReceiveAsync<Publish>();
        var other = await SubscribeAsync(V5, $"$share/group/{topic}", 2);
        client.Drop();
        await ReconnectAndLeaveAsync(connect);
        await ExpectNextAsync(other, topic);

        client = await ConnectAsync(connect);
        var again = await client.ReceiveAsync<Publish>();
        Assert.Equal(("first", first.PacketId, true), (again.Payload, again.PacketId, again.IsDuplicate));
        await client.AcknowledgeAsync(again);
        await ExpectNextAtEachAsync(client, connect, other, topic);
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V5, "MQTT-4.8.2-4")]
    public async Task A_QoS_2_message_whose_PUBREC_has_come_is_completed_with_PUBREL_when_the_member_comes_back(MqttVersion version)
    {
        var (connect, topic) = (Connect.Durable(version, NewClientId()), NewTopic());
        var client = await SubscribeAsync(connect, $"$share/group/{topic}", 2);
        await PublishAsync(topic, 2, "message");
        var message = await client.ReceiveAsync<Publish>();
        await client.SendAsync(new PubRec(message.PacketId).Encode());
        await client.ReceiveAsync<PubRel>();
        var other = await SubscribeAsync(V5, $"$share/group/{topic}", 2);
        client.Drop();
        await ReconnectAndLeaveAsync(connect);
        await ExpectNextAsync(other, topic);

        client = await ConnectAsync(connect);
        Assert.Equal(message.PacketId, (await client.ReceiveAsync<PubRel>()).PacketId);
        await client.SendAsync(new PubComp(message.PacketId).Encode());
        await ExpectNextAtEachAsync(client, connect, other, topic);
    }

    [Theory, InlineData(true), InlineData(false)]
    [Statement(V5, "MQTT-4.8.2-5")]
    public async Task A_QoS_2_message_that_was_sent_to_a_member_whose_session_ends_goes_to_nobody_else(bool isDurable)
    {
        var (id, topic) = (NewClientId(), NewTopic());
        var client = await SubscribeAsync(isDurable ? Connect.Durable(V5, id) : new Connect(V5, id), $"$share/group/{topic}", 2);
        await PublishAsync(topic, 2, "first");
        await client.ReceiveAsync<Publish>();
        var other = await SubscribeAsync(V5, $"$share/group/{topic}", 2);
        client.Drop();
        await (await ConnectAsync(new Connect(V5, id))).ExpectNothingAsync();

        await ExpectNextAsync(other, topic);
    }

    [Theory, InlineData(true, V5), InlineData(false, V5), InlineData(true, V311), InlineData(false, V311)]
    [Statement(V5, "section 4.8.2")]
    public async Task QoS_1_messages_that_a_member_had_not_acknowledged_when_its_session_ends_go_to_another(bool isDurable, MqttVersion version)
    {
        var (id, topic) = (NewClientId(), NewTopic());
        var client = await SubscribeAsync(isDurable ? Connect.Durable(version, id) : new Connect(version, id), $"$share/group/{topic}", 1);
        await PublishAsync(topic, 1, "acknowledged", "1", "2", "3");
        Assert.Equal("acknowledged", await client.ReceiveTextAsync());
        await client.ReceiveMessagesAsync(3);
        var other = await SubscribeAsync(V5, $"$share/group/{topic}", 1);
        client.Drop();
        await (await ConnectAsync(new Connect(version, id))).ExpectNothingAsync();

        Assert.Equal(["1", "2", "3"], await other.ReceiveTextsAsync(3));
        await ExpectNextAsync(other, topic);
    }

    [Theory, InlineData(1), InlineData(2)]
    [Statement(V5, "MQTT-4.8.2-6")]
    public async Task A_message_that_a_member_refuses_goes_to_nobody_else(int qoS)
    {
        var topic = NewTopic();
        var client = await SubscribeAsync(V5, $"$share/group/{topic}", qoS);
        await PublishAsync(topic, qoS, "refused");
        var refused = await client.ReceiveAsync<Publish>();
        var other = await SubscribeAsync(V5, $"$share/group/{topic}", qoS);
        await client.SendAsync(qoS == 1 ? new PubAck(refused.PacketId, 0x97).Encode() : new PubRec(refused.PacketId, 0x97).Encode());
        await client.ExpectNothingAsync();
        await client.DisconnectAsync();

        await ExpectNextAsync(other, topic);
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V5, "section 4.8.2")]
    public async Task While_a_member_is_offline_the_others_get_the_messages_and_while_all_are_they_wait(MqttVersion version)
    {
        var (connect, topic) = (Connect.Durable(version, NewClientId()), NewTopic());
        await (await SubscribeAsync(connect, $"$share/group/{topic}", 1)).DisconnectAsync();
        var other = await SubscribeAsync(version, $"$share/group/{topic}", 1);
        await PublishAsync(topic, 1, "1", "2", "3");
        Assert.Equal(["1", "2", "3"], await other.ReceiveTextsAsync(3));
        await other.DisconnectAsync();

        await PublishAsync(topic, 1, "4", "5", "6");
        var client = await ConnectAsync(connect);
        Assert.Equal(["4", "5", "6"], await client.ReceiveTextsAsync(3));
        await ExpectNextAsync(client, topic);
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V5, "section 4.8.2", "MQTT-3.10.4-2")]
    public async Task A_group_that_the_last_member_leaves_ends_with_what_waits(MqttVersion version)
    {
        var (connect, topic) = (Connect.Durable(version, NewClientId()), NewTopic());
        var client = await SubscribeAsync(connect, $"$share/group/{topic}", 1);
        await client.DisconnectAsync();
        await PublishAsync(topic, 1, "waits");
        await (await ConnectAsync(new Connect(version, connect.ClientId))).DisconnectAsync();

        client = await SubscribeAsync(version, $"$share/group/{topic}", 1);
        await PublishAsync(topic, 1, "new");
        Assert.Equal("new", await client.ReceiveTextAsync());
        await client.UnsubscribeAsync($"$share/group/{topic}");
        await PublishAsync(topic, 1, "nobody's");
        await client.SubscribeAsync(topic, 1);
        await ExpectNextAsync(client, topic);
    }

    [Theory, InlineData(1), InlineData(2)]
    [Statement(V5, "MQTT-3.10.4-3", "MQTT-3.10.4-2")]
    public async Task After_UNSUBSCRIBE_what_was_sent_is_completed_and_the_rest_goes_to_others(int qoS)
    {
        var (connect, topic) = (Connect.Durable(V5, NewClientId()).With(PropertyId.ReceiveMaximum, 1), NewTopic());
        var client = await SubscribeAsync(connect, $"$share/group/{topic}", qoS);
        var other = await SubscribeAsync(new Connect(V5, NewClientId()).With(PropertyId.ReceiveMaximum, 1), $"$share/group/{topic}", qoS);

        // The third one waits until one of the windows has room.
        await PublishAsync(topic, qoS, "first", "second", "third");
        var (sent, others) = (await client.ReceiveAsync<Publish>(), await other.ReceiveAsync<Publish>());
        Assert.Equal(["first", "second"], new[] { sent.Payload, others.Payload }.Order());
        await client.UnsubscribeAsync($"$share/group/{topic}");
        client.Drop();
        client = await ConnectAsync(connect);
        var again = await client.ReceiveAsync<Publish>();
        Assert.Equal((sent.Payload, sent.PacketId, true), (again.Payload, again.PacketId, again.IsDuplicate));
        await client.AcknowledgeAsync(again);
        await client.SubscribeAsync($"{topic}/own", qoS);
        await ExpectNextAsync(client, $"{topic}/own");
        await other.AcknowledgeAsync(others);
        Assert.Equal("third", await other.ReceiveTextAsync());
        await ExpectNextAsync(other, topic);
    }

    [Fact]
    [Statement(V5, "section 4.8.2")]
    public async Task A_second_SUBSCRIBE_changes_the_QoS_and_one_UNSUBSCRIBE_leaves()
    {
        var topic = NewTopic();
        var filter = $"$share/group/{topic}";
        var client = await SubscribeAsync(V5, filter, 1);
        await client.SubscribeAsync(filter, 2);
        await PublishAsync(topic, 2, "once");
        var message = await client.ReceiveAsync<Publish>();
        Assert.Equal(("once", 2), (message.Payload, message.QoS));
        await client.AcknowledgeAsync(message);
        await client.ExpectNothingAsync();

        await client.UnsubscribeAsync(filter);
        var other = await SubscribeAsync(V5, filter, 1);
        await PublishAsync(topic, 1, "other's");
        Assert.Equal("other's", await other.ReceiveTextAsync());
        await client.ExpectNothingAsync();
    }

    [Fact]
    [Statement(V5, "MQTT-3.10.4-4", "section 3.11.3")]
    public async Task UNSUBSCRIBE_tells_whether_the_session_was_a_member()
    {
        var client = await ConnectAsync(V5);
        var filter = $"$share/group/{NewTopic()}";
        await client.SubscribeAsync(filter, 1);
        foreach (var (packetId, code) in new[] { ((ushort)100, (byte)0), ((ushort)101, (byte)0x11) })
        {
            await client.SendAsync(new Unsubscribe(packetId, filter).Encode(V5));
            var answer = await client.ReceiveAsync<UnsubAck>();
            Assert.Equal(packetId, answer.PacketId);
            Assert.Equal([code], answer.Codes);
        }
    }

    [Fact]
    [Statement(V5, "section 4.8.2")]
    public async Task Shared_subscriptions_are_independent_of_each_other_and_of_others()
    {
        var topic = NewTopic();
        var client = await SubscribeAsync(V5, $"$share/first/{topic}", 1);
        await client.SubscribeAsync($"$share/second/{topic}", 1);
        await client.SubscribeAsync(topic, 1);
        await PublishAsync(topic, 1, "message");

        Assert.Equal(["message", "message", "message"], await client.ReceiveTextsAsync(3));
        await client.ExpectNothingAsync();
    }

    [Fact]
    [Statement(V5, "MQTT-3.3.4-9", "section 4.8.2")]
    public async Task A_member_whose_window_is_full_leaves_the_messages_to_others()
    {
        var topic = NewTopic();
        var slow = await SubscribeAsync(new Connect(V5, NewClientId()).With(PropertyId.ReceiveMaximum, 1), $"$share/group/{topic}", 1);
        var fast = await SubscribeAsync(V5, $"$share/group/{topic}", 1);
        await PublishAsync(topic, 1, [.. Enumerable.Range(0, 10).Select(i => $"{i}")]);
        var held = await slow.ReceiveAsync<Publish>();
        var others = await fast.ReceiveTextsAsync(9);
        Assert.Equal(Enumerable.Range(0, 10).Select(i => $"{i}"), others.Append(held.Payload).Order());
        await slow.ExpectNothingAsync();
        await fast.ExpectNothingAsync();
    }

    [Fact]
    [Statement(V5, "MQTT-3.3.4-3", "MQTT-3.3.4-5", "MQTT-4.8.2-4", "section 4.8.2")]
    public async Task A_copy_of_a_shared_subscription_carries_its_identifier_alone_also_when_it_is_sent_again()
    {
        var (connect, topic) = (Connect.Durable(V5, NewClientId()), NewTopic());
        var client = await ConnectAsync(connect);
        await client.SubscribeAsync($"$share/group/{topic}", 2, properties: new() { { PropertyId.SubscriptionIdentifier, 7 } });
        await client.SubscribeAsync(topic, 2, properties: new() { { PropertyId.SubscriptionIdentifier, 9 } });
        await PublishAsync(topic, 2, "message");
        List<Publish> copies = [await client.ReceiveAsync<Publish>(), await client.ReceiveAsync<Publish>()];
        client.Drop();
        client = await ConnectAsync(connect);
        List<Publish> again = [await client.ReceiveAsync<Publish>(), await client.ReceiveAsync<Publish>()];

        Assert.Equal([7u, 9u], copies.SelectMany(IdentifiersOf).Order());
        Assert.Equal(copies.OrderBy(copy => copy.PacketId).Select(copy => IdentifiersOf(copy).Single()), again.OrderBy(copy => copy.PacketId).Select(copy => IdentifiersOf(copy).Single()));

        static IEnumerable<uint> IdentifiersOf(Publish message) => message.Properties.Numbers(PropertyId.SubscriptionIdentifier);
    }

    /// <summary>Nothing more comes to two members: each gets next what is published while the other is away.</summary>
    private async Task ExpectNextAtEachAsync(Client client, Connect connect, Client other, string topic)
    {
        await client.DisconnectAsync();
        await ExpectNextAsync(other, topic);
        await other.DisconnectAsync();
        await ExpectNextAsync(await ConnectAsync(connect), topic);
    }
}
