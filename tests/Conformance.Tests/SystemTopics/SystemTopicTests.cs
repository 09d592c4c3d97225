using System.Globalization;

namespace OrleansMqtt.Conformance.Tests.SystemTopics;

/// <summary>Topics that begin with $ (section 4.7.2). The server has new values each second.</summary>
public sealed class SystemTopicTests(ConformanceServer server) : ConformanceTests(server)
{
    private const string Uptime = "$SYS/broker/uptime";
    private const string Connected = "$SYS/broker/clients/connected";

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "section 4.7.2", "MQTT-3.3.1-8")]
    [Statement(V5, "section 4.7.2", "MQTT-3.3.1-8")]
    public async Task A_subscription_gets_the_current_values_at_once_and_new_ones_each_interval(MqttVersion version)
    {
        var client = await ConnectAsync(version);
        await client.SubscribeAsync("$SYS/#", 2);
        Dictionary<string, string> values = [];
        for (Publish message; (message = await client.ReceiveAsync<Publish>()).IsRetained; values.Add(message.Topic, message.Payload))
        {
            Assert.Equal(0, message.QoS);
        }

        Assert.Matches("^[0-9]+ seconds$", values[Uptime]);
        Assert.Contains("version", values["$SYS/broker/version"], StringComparison.Ordinal);
        foreach (var name in new[]
        {
            "clients/connected", "clients/disconnected", "clients/total", "clients/maximum", "clients/expired", "messages/received", "messages/sent", "messages/stored", "publish/messages/received",
            "publish/messages/sent", "publish/messages/dropped", "publish/bytes/received", "publish/bytes/sent", "bytes/received", "bytes/sent", "subscriptions/count", "retained messages/count",
        })
        {
            Assert.Matches("^[0-9]+$", values[$"$SYS/broker/{name}"]);
        }

        var first = Seconds(values[Uptime]);
        while (await NextAsync(client, Uptime) is var message && Seconds(message.Payload) < first + 2)
        {
            Assert.False(message.IsRetained);
        }
    }

    [Fact]
    [Statement(V5, "section 4.7.2")]
    public async Task The_numbers_are_those_of_the_clients()
    {
        var client = await ConnectAsync(V5);
        await client.SubscribeAsync("$SYS/broker/#", 0);
        var others = new List<Client>();
        for (var i = 0; i < 40; i++)
        {
            others.Add(await SubscribeAsync(V5, NewTopic(), 0));
        }

        // Other tests have clients too.
        await ReachAsync(Connected, others.Count + 1);
        await ReachAsync("$SYS/broker/clients/maximum", others.Count + 1);
        await ReachAsync("$SYS/broker/clients/total", others.Count + 1);
        await ReachAsync("$SYS/broker/subscriptions/count", others.Count + 1);
        await ReachAsync("$SYS/broker/messages/received", 2 * others.Count);
        await ReachAsync("$SYS/broker/messages/sent", 2 * others.Count);

        async Task ReachAsync(string topic, long value)
        {
            const int Intervals = 15;
            long last = 0;
            for (var i = 0; i < Intervals && last < value; i++)
            {
                last = long.Parse((await NextAsync(client, topic)).Payload, CultureInfo.InvariantCulture);
            }

            Assert.InRange(last, value, long.MaxValue);
        }
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-4.7.2-1")]
    [Statement(V5, "MQTT-4.7.2-1")]
    public async Task Filters_that_begin_with_a_wildcard_do_not_match_them(MqttVersion version)
    {
        var topic = NewTopic();
        var wild = await ConnectAsync(version);
        await wild.SubscribeAsync("+/broker/uptime", 0);
        await wild.SubscribeAsync("+/broker/#", 0);
        var all = await SubscribeAsync(version, "#", 0);
        var client = await SubscribeAsync(version, Uptime, 0);
        await NextAsync(client, Uptime);
        await NextAsync(client, Uptime);
        await PublishAsync(topic, 1, "end");
        for (Publish message; (message = await all.FindAsync<Publish>()).Topic != topic;)
        {
            Assert.False(message.Topic.StartsWith('$'), message.Topic);
        }

        await wild.ExpectNothingAsync();
    }

    [Theory, InlineData(V311, 0), InlineData(V311, 1), InlineData(V311, 2), InlineData(V5, 0), InlineData(V5, 1), InlineData(V5, 2)]
    [Statement(V311, "section 4.7.2", "MQTT-3.3.5-2")]
    [Statement(V5, "section 4.7.2", "section 3.4.2.1", "section 3.5.2.1")]
    public async Task Clients_cannot_publish_to_them(MqttVersion version, int qoS)
    {
        var topic = $"$SYS/{Guid.NewGuid():N}";
        var subscriber = await SubscribeAsync(version, topic, 2);
        var client = await ConnectAsync(version);
        foreach (var isRetained in new[] { false, true })
        {
            await client.SendAsync(new Publish(topic, "mine") { QoS = qoS, PacketId = qoS == 0 ? (ushort)0 : (ushort)7, IsRetained = isRetained }.Encode(version));
            AcknowledgementPacket? answer = qoS switch { 0 => null, 1 => await client.ReceiveAsync<PubAck>(), _ => await client.ReceiveAsync<PubRec>() };
            Assert.Equal(answer is null || version is V311 ? 0 : 0x87, answer?.Code ?? 0);
            if (version is V311 && qoS == 2)
            {
                await client.SendAsync(new PubRel(7).Encode());
                Assert.Equal(7, (await client.ReceiveAsync<PubComp>()).PacketId);
            }
        }

        await client.PingAsync();
        await subscriber.ExpectNothingAsync();
        await (await SubscribeAsync(version, topic, 2)).ExpectNothingAsync();
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "section 4.7.2", "section 3.2.2.3")]
    [Statement(V5, "section 4.7.2", "section 3.2.2.2")]
    public async Task A_will_to_them_is_not_authorized(MqttVersion version)
    {
        var client = await OpenAsync(version);
        await client.SendAsync((new Connect(version, NewClientId()) { Will = new("$SYS/broker/uptime", "mine") }).Encode());
        Assert.Equal(version is V5 ? 0x87 : 5, (await client.ReceiveAsync<ConnAck>()).Code);
        Assert.Null(await client.ReadAsync());
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "section 4.7.2", "MQTT-3.1.2-4")]
    [Statement(V5, "section 4.7.2", "MQTT-3.1.2-5")]
    public async Task A_session_keeps_the_subscription(MqttVersion version)
    {
        var connect = Connect.Durable(version, NewClientId());
        var client = await SubscribeAsync(connect, Uptime, 1);
        await NextAsync(client, Uptime);
        await client.DisconnectAsync();
        client = await ConnectAsync(connect);
        Assert.True(client.ConnAck.IsSessionPresent);
        Assert.False((await NextAsync(client, Uptime)).IsRetained);
        await client.UnsubscribeAsync(Uptime);
        await client.SubscribeAsync(Connected, 0);
        await NextAsync(client, Connected);
        await NextAsync(client, Connected);
        await client.DisconnectAsync();
        client = await ConnectAsync(connect);
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal(Connected, (await client.ReceiveAsync<Publish>()).Topic);
        }
    }

    [Fact]
    [Statement(V5, "section 3.8.3.1", "MQTT-3.3.1-9", "MQTT-3.3.1-10", "MQTT-3.3.1-11", "MQTT-3.3.1-13", "MQTT-3.3.4-3", "MQTT-3.3.4-4")]
    public async Task Options_and_identifiers_of_the_subscription_count()
    {
        var client = await ConnectAsync(V5);
        await client.SubscribeAsync(Uptime, 0, 0x28, new() { { PropertyId.SubscriptionIdentifier, 7 } });
        var message = await client.ReceiveAsync<Publish>();
        Assert.True(message.IsRetained);
        Assert.Equal([7u], message.Properties.Numbers(PropertyId.SubscriptionIdentifier));
        await client.SubscribeAsync("$SYS/broker/+", 0, 0x20, new() { { PropertyId.SubscriptionIdentifier, 8 } });
        message = await NextAsync(client, Uptime);
        Assert.True(message.IsRetained);
        Assert.Equal([7u, 8u], message.Properties.Numbers(PropertyId.SubscriptionIdentifier).Order());
        message = await NextAsync(client, "$SYS/broker/version");
        Assert.False(message.IsRetained);
        Assert.Equal([8u], message.Properties.Numbers(PropertyId.SubscriptionIdentifier));

        // Once there is such a subscription, Retain Handling 1 sends nothing again.
        await client.UnsubscribeAsync("$SYS/broker/+");
        await client.SubscribeAsync(Connected, 0, 0x10);
        while (!(message = await NextAsync(client, Connected)).IsRetained)
        {
        }

        await client.SubscribeAsync(Connected, 0, 0x10);
        Assert.False((await NextAsync(client, Connected)).IsRetained);
    }

    private static long Seconds(string uptime) => long.Parse(uptime.Split(' ')[0], CultureInfo.InvariantCulture);

    private static async Task<Publish> NextAsync(Client client, string topic)
    {
        while (true)
        {
            if (await client.FindAsync<Publish>() is { } message && message.Topic == topic)
            {
                return message;
            }
        }
    }
}
