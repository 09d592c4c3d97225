namespace OrleansMqtt.Conformance.Tests.SharedSubscriptions;

/// <summary>What options and filters of a shared subscription mean for its messages.</summary>
public sealed class SharedOptionTests(ConformanceServer server) : ConformanceTests(server)
{
    [Theory, InlineData(0), InlineData(1), InlineData(2)]
    [Statement(V5, "MQTT-3.3.1-12", "MQTT-3.3.1-13")]
    public async Task Retain_As_Published_counts_for_the_member_that_gets_the_message(int qoS)
    {
        const int RetainAsPublished = 0x08;
        var topic = NewTopic();
        foreach (var (group, options) in new[] { ("keeping", RetainAsPublished), ("plain", 0) })
        {
            var member = await ConnectAsync(V5);
            await member.SubscribeAsync($"$share/{group}/{topic}", 2, options);
            await PublishAsync(new Publish(topic, "retained") { QoS = qoS, IsRetained = true });
            await PublishAsync(new Publish(topic, "not") { QoS = qoS });
            List<(string, bool)> received = [];
            while (received.Count < 2)
            {
                var message = await member.ReceiveAsync<Publish>();
                await member.AcknowledgeAsync(message);
                received.Add((message.Payload, message.IsRetained));
            }

            Assert.Equal([("not", false), ("retained", options == RetainAsPublished)], received.Order());
            await member.DisconnectAsync();
        }
    }

    [Fact]
    [Statement(V5, "MQTT-4.7.2-1")]
    public async Task A_filter_behind_the_share_name_that_begins_with_a_wildcard_leaves_out_topics_that_begin_with_a_dollar()
    {
        var end = $"{Guid.NewGuid():N}";
        var member = await SubscribeAsync(V5, $"$share/group/+/{end}", 1);
        await PublishAsync($"$conformance/{end}", 1, "hidden");
        await PublishAsync($"conformance/{end}", 1, "seen");
        Assert.Equal("seen", await member.ReceiveTextAsync());
        await member.ExpectNothingAsync();
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V5, "MQTT-3.3.4-2", "section 4.8.2")]
    public async Task A_session_that_is_a_member_and_has_a_subscription_of_its_own_gets_a_copy_for_each(MqttVersion version)
    {
        var topic = NewTopic();
        var client = await SubscribeAsync(version, topic, 1);
        await client.SubscribeAsync($"$share/group/{topic}", 1);
        await client.SubscribeAsync($"$share/others/{topic}", 1);
        await PublishAsync(topic, 1, "message");
        Assert.Equal(["message", "message", "message"], await client.ReceiveTextsAsync(3));
        await client.ExpectNothingAsync();
    }
}
