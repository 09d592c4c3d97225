namespace OrleansMqtt.Conformance.Tests.Publishing;

/// <summary>Topic aliases of messages to the server (section 3.3.2.3.4).</summary>
public sealed class TopicAliasTests(ConformanceServer server) : ConformanceTests(server)
{
    [Theory, InlineData(0), InlineData(1), InlineData(2)]
    [Statement(V5, "MQTT-3.3.2-12", "MQTT-3.2.2-17")]
    public async Task An_alias_stands_for_the_topic_that_it_came_with(int qoS)
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(V5, $"{topic}/#", 2);
        var publisher = await ConnectAsync(V5);
        var greatest = MaximumOf(publisher);
        await publisher.PublishAsync(Aliased($"{topic}/a", 1, "1", qoS));
        await publisher.PublishAsync(Aliased("", 1, "2", qoS));
        await publisher.PublishAsync(Aliased($"{topic}/b", greatest, "3", qoS));
        await publisher.PublishAsync(Aliased("", greatest, "4", qoS));
        await publisher.PublishAsync(Aliased("", 1, "5", qoS));
        await publisher.PublishAsync(new Publish($"{topic}/c", "6") { QoS = qoS });

        Assert.Equal(["a 1", "a 2", "a 5", "b 3", "b 4", "c 6"], await ReceiveAsync(subscriber, 6));
    }

    [Fact]
    [Statement(V5, "MQTT-3.3.2-12", "section 3.3.2.3.4")]
    public async Task An_alias_that_comes_with_another_topic_stands_for_that_from_then_on()
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(V5, $"{topic}/#", 1);
        var publisher = await ConnectAsync(V5);
        await publisher.PublishAsync(Aliased($"{topic}/a", 1, "1", 1));
        await publisher.PublishAsync(Aliased($"{topic}/b", 1, "2", 1));
        await publisher.PublishAsync(Aliased("", 1, "3", 1));
        Assert.Equal(["a 1", "b 2", "b 3"], await ReceiveAsync(subscriber, 3));
    }

    [Fact]
    [Statement(V5, "MQTT-3.3.2-12")]
    public async Task All_allowed_aliases_can_be_in_use_at_the_same_time()
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(V5, $"{topic}/#", 0);
        var publisher = await ConnectAsync(V5);
        var all = Enumerable.Range(1, MaximumOf(publisher)).ToArray();
        await publisher.SendAsync([.. all.Select(alias => Aliased($"{topic}/{alias}", alias, "first", 0).Encode(V5))]);
        await publisher.SendAsync([.. all.Select(alias => Aliased("", alias, "second", 0).Encode(V5))]);
        Assert.Equal(
            all.Select(alias => $"{alias}").Order(StringComparer.Ordinal).SelectMany(topic => new[] { $"{topic} first", $"{topic} second" }),
            await ReceiveAsync(subscriber, 2 * all.Length));
    }

    [Theory, InlineData(1), InlineData(2)]
    [Statement(V5, "MQTT-3.3.2-12", "section 3.3.2.3.4")]
    public async Task Aliases_belong_to_one_connection_each(int alias)
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(V5, $"{topic}/#", 1);
        var first = await ConnectAsync(V5);
        var second = await ConnectAsync(V5);
        await first.PublishAsync(Aliased($"{topic}/first", alias, "1", 1));
        await second.PublishAsync(Aliased($"{topic}/second", alias, "2", 1));
        await first.PublishAsync(Aliased("", alias, "3", 1));
        Assert.Equal(["first 1", "first 3", "second 2"], await ReceiveAsync(subscriber, 3));
    }

    [Fact]
    [Statement(V5, "MQTT-3.3.2-7", "MQTT-4.13.1-1")]
    public async Task They_end_with_the_connection_also_when_the_session_goes_on()
    {
        var connect = Connect.Durable(V5, NewClientId());
        var before = await ConnectAsync(connect);
        await before.PublishAsync(Aliased(NewTopic(), 1, "", 1));
        await before.DisconnectAsync();
        var after = await ConnectAsync(connect);
        await after.SendAsync(Aliased("", 1, "", 0).Encode(V5));
        await after.ExpectCloseAsync(0x82);
    }

    [Fact]
    [Statement(V5, "MQTT-3.3.2-8", "section 3.3.2.3.4", "MQTT-4.13.1-1")]
    public async Task Alias_0_is_invalid()
    {
        var client = await ConnectAsync(V5);
        await client.SendAsync(Aliased(NewTopic(), 0, "", 0).Encode(V5));
        await client.ExpectCloseAsync(0x94);
    }

    [Fact]
    [Statement(V5, "MQTT-3.3.2-9", "MQTT-3.2.2-17", "section 3.3.2.3.4", "MQTT-4.13.1-1")]
    public async Task An_alias_beyond_the_maximum_is_invalid()
    {
        var client = await ConnectAsync(V5);
        await client.SendAsync(Aliased(NewTopic(), MaximumOf(client) + 1, "", 0).Encode(V5));
        await client.ExpectCloseAsync(0x94);
    }

    [Fact]
    [Statement(V5, "section 3.3.2.3.4", "MQTT-4.13.1-1")]
    public async Task An_unknown_alias_without_a_topic_is_a_protocol_error()
    {
        var client = await ConnectAsync(V5);
        await client.SendAsync(Aliased(NewTopic(), 2, "", 0).Encode(V5), Aliased("", 1, "", 0).Encode(V5));
        await client.ExpectCloseAsync(0x82);
    }

    [Fact]
    [Statement(V5, "section 3.3.2.1", "MQTT-4.13.1-1")]
    public async Task No_topic_and_no_alias_is_a_protocol_error()
    {
        var client = await ConnectAsync(V5);
        await client.SendAsync(new Publish("", "").Encode(V5));
        await client.ExpectCloseAsync(0x82);
    }

    [Fact]
    [Statement(V5, "section 3.3.2.3.4", "MQTT-4.13.1-1")]
    public async Task Two_aliases_are_a_protocol_error()
    {
        var client = await ConnectAsync(V5);
        PropertyList properties = new() { { PropertyId.TopicAlias, 1 }, { PropertyId.TopicAlias, 1 } };
        await client.SendAsync(new Publish(NewTopic(), "") { Properties = properties }.Encode(V5));
        await client.ExpectCloseAsync(0x82);
    }

    [Fact]
    [Statement(V5, "MQTT-3.3.2-2", "MQTT-4.13.1-1")]
    public async Task A_topic_with_a_wildcard_is_malformed_with_an_alias_too()
    {
        var client = await ConnectAsync(V5);
        await client.SendAsync(Aliased($"{NewTopic()}/#", 1, "", 0).Encode(V5));
        await client.ExpectCloseAsync(0x81);
    }

    private static int MaximumOf(Client client)
    {
        var maximum = client.ConnAck.Properties.Number(PropertyId.TopicAliasMaximum) ?? 0;
        Assert.True(maximum > 1, "This server lets clients use no topic aliases.");
        return (int)maximum;
    }

    private static Publish Aliased(string topic, int alias, string payload, int qoS) => new(topic, payload) { QoS = qoS, Properties = new() { { PropertyId.TopicAlias, alias } } };

    /// <summary>The last levels of the topics, and the payloads, topic by topic: the order of messages of different topics is the server's choice.</summary>
    private static async Task<IEnumerable<string>> ReceiveAsync(Client client, int count)
    {
        List<string> received = [];
        while (received.Count < count)
        {
            var message = await client.FindAsync<Publish>();
            Assert.Null(message.Properties.Number(PropertyId.TopicAlias));
            await client.AcknowledgeAsync(message);
            received.Add($"{message.Topic.Split('/')[^1]} {message.Payload}");
        }

        return received.OrderBy(text => text.Split(' ')[0], StringComparer.Ordinal);
    }
}
