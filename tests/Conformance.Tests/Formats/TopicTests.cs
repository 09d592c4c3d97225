using static OrleansMqtt.Conformance.Tests.Protocol.RawPackets;

namespace OrleansMqtt.Conformance.Tests.Formats;

/// <summary>Topic names and filters (section 4.7).</summary>
public sealed class TopicTests(ConformanceServer server) : ConformanceTests(server)
{
    [Theory, InlineData("a#"), InlineData("a/#/b"), InlineData("#/"), InlineData("##"), InlineData("a+"), InlineData("+a/b"), InlineData("a/++"), InlineData("a/+#"), InlineData("")]
    [Statement(V311, "MQTT-4.7.1-2", "MQTT-4.7.1-3", "MQTT-4.7.3-1")]
    [Statement(V5, "MQTT-4.7.1-1", "MQTT-4.7.1-2", "MQTT-4.7.3-1")]
    public async Task A_filter_with_misplaced_wildcards_or_none_at_all_is_not_accepted(string filter)
    {
        foreach (var version in (MqttVersion[])[V311, V5])
        {
            await ExpectCloseAsync(version, Request(version, 0x82, 1, [], Field(filter), [0]), 0x81, 0x82, 0x8F);
            await ExpectCloseAsync(version, Request(version, 0xA2, 1, [], Field(filter)), 0x81, 0x82, 0x8F);
        }
    }

    [Theory, InlineData("#"), InlineData("a/+"), InlineData("a+b"), InlineData("a/b#"), InlineData("")]
    [Statement(V311, "MQTT-3.3.2-2", "MQTT-4.7.1-1", "MQTT-4.7.3-1")]
    [Statement(V5, "MQTT-3.3.2-2", "MQTT-4.7.0-1", "MQTT-4.7.3-1")]
    public async Task A_topic_name_with_a_wildcard_or_none_at_all_is_not_accepted(string topic)
    {
        foreach (var version in (MqttVersion[])[V311, V5])
        {
            await ExpectCloseAsync(version, new Publish(topic, "m") { QoS = 1, PacketId = 1 }.Encode(version), 0x81, 0x82, 0x90);
        }
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-3.3.2-3", "MQTT-4.7.1-2", "MQTT-4.7.1-3")]
    [Statement(V5, "MQTT-3.3.2-3", "MQTT-4.7.1-1", "MQTT-4.7.1-2")]
    public async Task What_matches_a_filter_arrives_and_nothing_else(MqttVersion version)
    {
        var topic = NewTopic();
        var all = await SubscribeAsync(version, $"{topic}/#", 1);
        var middle = await SubscribeAsync(version, $"{topic}/+/b", 1);
        var level = await SubscribeAsync(version, $"{topic}/+", 1);
        string[] topics = [topic, $"{topic}/", $"{topic}/a", $"{topic}/a/b", $"{topic}//b", $"{topic}/a/b/c", $"{topic}/b", $"{topic}x", $"{topic}/end", $"{topic}/end/b"];
        foreach (var each in topics)
        {
            await PublishAsync(each, 1, "m");
        }

        // Order is promised within a topic ([MQTT-4.6.0-6]); another one may be on another partition.
        Assert.Equal(topics.Where(each => each != $"{topic}x").Order(), (await ReceiveTopicsAsync(all, 9)).Order());
        Assert.Equal([$"{topic}//b", $"{topic}/a/b", $"{topic}/end/b"], (await ReceiveTopicsAsync(middle, 3)).Order());
        Assert.Equal([$"{topic}/", $"{topic}/a", $"{topic}/b", $"{topic}/end"], (await ReceiveTopicsAsync(level, 4)).Order());
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-4.7.3-4", "MQTT-3.10.4-1")]
    [Statement(V5, "MQTT-4.7.3-4", "MQTT-3.10.4-1")]
    public async Task Topics_are_compared_as_they_are(MqttVersion version)
    {
        var topic = NewTopic();
        string[] others = [$"/{topic}/é", $"{topic}/é/", $"{topic}//é", $"{topic}/É", $"{topic}/e\u0301", $"{topic}/é ", $"{topic.ToUpperInvariant()}/é"];
        var client = await SubscribeAsync(version, $"{topic}/é", 1);
        foreach (var other in others)
        {
            await client.UnsubscribeAsync(other);
            await PublishAsync(other, 1, "other");
        }

        await PublishAsync($"{topic}/é", 1, "equal");
        Assert.Equal("equal", await client.ReceiveTextAsync());
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-4.7.2-1")]
    [Statement(V5, "MQTT-4.7.2-1")]
    public async Task A_filter_that_begins_with_a_wildcard_leaves_out_topics_that_begin_with_a_dollar(MqttVersion version)
    {
        var end = $"{Guid.NewGuid():N}";
        var client = await SubscribeAsync(version, $"+/{end}", 1);
        var everything = await ConnectAsync(V5);
        await everything.SubscribeAsync("#", 0, otherOptions: 0x20);
        var publisher = await ConnectAsync(V5);
        await publisher.SendAsync(new Publish($"$conformance/{end}", "hidden") { QoS = 1, PacketId = 1 }.Encode(V5));

        // Whether clients may use such topics among themselves is left to the server.
        await publisher.ReceiveAsync<PubAck>();
        await PublishAsync($"conformance/{end}", 1, "seen");
        Assert.Equal("seen", await client.ReceiveTextAsync());
        Publish message;
        do
        {
            message = await everything.ReceiveAsync<Publish>();
            Assert.False(message.Topic.StartsWith('$'), message.Topic);
        }
        while (message.Topic != $"conformance/{end}");
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-4.7.3-3")]
    [Statement(V5, "MQTT-4.7.3-3")]
    public async Task A_topic_may_have_65535_bytes(MqttVersion version)
    {
        var topic = NewTopic();
        topic += new string('x', ushort.MaxValue - topic.Length);
        var client = await SubscribeAsync(version, topic, 1);
        await PublishAsync(topic, 1, "long");
        var message = await client.ReceiveAsync<Publish>();
        Assert.Equal((topic, "long"), (message.Topic, message.Payload));
    }

    private static async Task<IEnumerable<string>> ReceiveTopicsAsync(Client client, int count) => (await client.ReceiveMessagesAsync(count)).Select(message => message.Topic);
}
