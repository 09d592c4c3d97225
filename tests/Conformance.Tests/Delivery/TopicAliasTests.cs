namespace OrleansMqtt.Conformance.Tests.Delivery;

/// <summary>Topic aliases of messages to a client: within its Topic Alias Maximum, whatever the server makes of it.</summary>
public sealed class TopicAliasTests(ConformanceServer server) : ConformanceTests(server)
{
    [Theory, InlineData(1), InlineData(2), InlineData(3), InlineData(10), InlineData(65_535)]
    [Statement(V5, "MQTT-3.1.2-26", "MQTT-3.3.2-8", "MQTT-3.3.2-11")]
    public async Task Every_message_has_its_topic_by_name_or_by_an_alias_within_the_maximum(int maximum)
    {
        var topic = NewTopic();
        var client = await SubscribeAsync(Aliasing(NewClientId(), maximum), $"{topic}/#", 1);
        Random random = new(maximum);
        var expected = Enumerable.Range(0, 300).Select(i => $"{topic}/{random.Next(i < 150 ? 4 : 40)} {i}").ToList();
        foreach (var message in expected.Select(text => text.Split(' ')))
        {
            await PublishAsync(message[0], 0, message[1]);
        }

        // The order of messages of different topics is the server's choice.
        var received = await ReceiveAsync(client, [], maximum, expected.Count);
        Assert.Equal(expected.OrderBy(TopicOf, StringComparer.Ordinal), received.OrderBy(TopicOf, StringComparer.Ordinal));

        static string TopicOf(string text) => text.Split(' ')[0];
    }

    [Fact]
    [Statement(V5, "MQTT-3.3.2-11", "section 3.3.2.3.4")]
    public async Task A_topic_that_comes_again_is_left_out()
    {
        var topic = NewTopic();
        var client = await SubscribeAsync(Aliasing(NewClientId(), 10), topic, 1);
        await PublishAsync(topic, 1, "1", "2", "3");
        var messages = await client.ReceiveMessagesAsync(3);
        Assert.Equal("", messages[2].Topic);
        Assert.True(messages[2].Size < messages[0].Size - topic.Length + 8, $"{messages[0].Size} bytes became {messages[2].Size}.");
    }

    [Theory, InlineData(0), InlineData(null)]
    [Statement(V5, "MQTT-3.1.2-27")]
    public async Task A_client_that_takes_none_is_sent_none(int? maximum)
    {
        var topic = NewTopic();
        Connect connect = new(V5, NewClientId());
        var client = await SubscribeAsync(maximum is { } value ? connect.With(PropertyId.TopicAliasMaximum, value) : connect, topic, 1);
        await PublishAsync(topic, 1, "1", "2", "3");
        Assert.All(await client.ReceiveMessagesAsync(3), message => Assert.Equal((topic, null), (message.Topic, message.Properties.Number(PropertyId.TopicAlias))));
    }

    [Fact]
    [Statement(V5, "MQTT-3.3.2-7", "MQTT-3.1.2-26")]
    public async Task They_end_with_the_connection_also_when_the_session_goes_on()
    {
        var (connect, topic) = (Connect.Durable(V5, NewClientId()), NewTopic());
        var before = await SubscribeAsync(connect.With(PropertyId.TopicAliasMaximum, 5), topic, 1);
        await PublishAsync(topic, 1, "1", "2", "3");
        await before.ReceiveMessagesAsync(3);
        await before.DisconnectAsync();

        var after = await ConnectAsync(connect.With(PropertyId.TopicAliasMaximum, 1));
        Assert.Equal([$"{topic} 1", $"{topic} 2", $"{topic} 3"], await ReceiveAsync(after, [], 1, 3));
        await after.DisconnectAsync();

        await PublishAsync(topic, 1, "4", "5");
        var without = await ConnectAsync(connect);
        Assert.Equal([$"{topic} 4", $"{topic} 5"], await ReceiveAsync(without, [], 0, 2));
    }

    [Fact]
    [Statement(V5, "MQTT-3.1.2-24", "MQTT-3.1.2-25", "MQTT-3.3.2-11")]
    public async Task A_message_that_is_too_large_gives_no_alias_a_topic()
    {
        var topic = NewTopic();
        var client = await SubscribeAsync(Aliasing(NewClientId(), 10).With(PropertyId.MaximumPacketSize, 200), topic, 1);
        await PublishAsync(topic, 1, new string('x', 300), "1", "2", "3");
        Assert.Equal([$"{topic} 1", $"{topic} 2", $"{topic} 3"], await ReceiveAsync(client, [], 10, 3));
    }

    [Fact]
    [Statement(V5, "MQTT-3.1.2-24", "MQTT-3.3.2-11")]
    public async Task A_message_that_just_fits_arrives_although_an_alias_would_make_it_longer()
    {
        var topic = NewTopic();
        var unlimited = await SubscribeAsync(V5, topic, 1);
        var text = new string('x', 90);
        await PublishAsync(topic, 1, text);
        var size = (await unlimited.ReceiveAsync<Publish>()).Size;
        var client = await SubscribeAsync(Aliasing(NewClientId(), 10).With(PropertyId.MaximumPacketSize, size), topic, 1);
        await PublishAsync(topic, 1, text);
        var message = await client.ReceiveAsync<Publish>();
        Assert.Equal((topic, text), (message.Topic, message.Payload));
    }

    private static Connect Aliasing(string clientId, int maximum) => new Connect(V5, clientId).With(PropertyId.TopicAliasMaximum, maximum);

    /// <summary>Topics and payloads, with the aliases resolved as a client has to.</summary>
    private static async Task<List<string>> ReceiveAsync(Client client, Dictionary<uint, string> aliases, int maximum, int count)
    {
        List<string> received = [];
        while (received.Count < count)
        {
            var message = await client.FindAsync<Publish>();
            var topic = message.Topic;
            if (message.Properties.Number(PropertyId.TopicAlias) is { } alias)
            {
                Assert.InRange(alias, 1u, (uint)maximum);
                topic = topic.Length > 0 ? aliases[alias] = topic : aliases[alias];
            }

            Assert.NotEqual("", topic);
            await client.AcknowledgeAsync(message);
            received.Add($"{topic} {message.Payload}");
        }

        return received;
    }
}
