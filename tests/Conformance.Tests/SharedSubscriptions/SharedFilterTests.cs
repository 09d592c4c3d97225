namespace OrleansMqtt.Conformance.Tests.SharedSubscriptions;

/// <summary>How a shared subscription is asked for.</summary>
public sealed class SharedFilterTests(ConformanceServer server) : ConformanceTests(server)
{
    [Theory]
    [InlineData("$share//topic"), InlineData("$share/group"), InlineData("$share/group/"), InlineData("$share/")]
    [Statement(V5, "MQTT-4.8.2-1", "MQTT-4.8.2-2")]
    public Task A_filter_without_a_share_name_or_a_topic_filter_is_refused(string filter) => ExpectRefusedAsync(filter);

    [Theory]
    [InlineData("$share/gro+up/topic"), InlineData("$share/group#/topic"), InlineData("$share/+/topic"), InlineData("$share/#")]
    [Statement(V5, "MQTT-4.8.2-2")]
    public Task A_share_name_with_a_wildcard_is_refused(string filter) => ExpectRefusedAsync(filter);

    [Theory]
    [InlineData("$share/group/a#"), InlineData("$share/group/#/a"), InlineData("$share/group/a+/b")]
    [Statement(V5, "MQTT-4.8.2-2", "MQTT-4.7.1-1", "MQTT-4.7.1-2")]
    public Task A_topic_filter_behind_the_share_name_follows_the_rules_of_topic_filters(string filter) => ExpectRefusedAsync(filter);

    [Fact]
    [Statement(V5, "MQTT-3.8.3-4")]
    public async Task No_Local_on_a_shared_subscription_is_a_protocol_error()
    {
        var client = await ConnectAsync(V5);
        await client.SendAsync(new Subscribe(1, $"$share/group/{NewTopic()}", 1 | 4).Encode(V5));
        await client.ExpectCloseAsync(0x82);
    }

    [Theory, InlineData("/finance"), InlineData("finance/#"), InlineData("+/finance")]
    [Statement(V5, "MQTT-4.8.2-2", "section 4.8.2")]
    public async Task The_topic_filter_begins_behind_the_slash_that_ends_the_share_name(string filter)
    {
        // A first level of its own keeps the test from the topics of others.
        var level = $"{Guid.NewGuid():N}";
        var client = await SubscribeAsync(V5, $"$share/group/{level}/{filter}", 1);
        await PublishAsync($"{level}/{filter.Replace("#", "a/b", StringComparison.Ordinal).Replace('+', 'x')}", 1, "message");
        Assert.Equal("message", await client.ReceiveTextAsync());
    }

    [Fact]
    [Statement(V5, "section 3.2.2.3.13")]
    public async Task Shared_subscriptions_are_announced_as_available()
    {
        var client = await ConnectAsync(V5);
        Assert.DoesNotContain(client.ConnAck.Properties, property => property.Key == PropertyId.SharedAvailable && property.Value is not (byte)1);
    }

    [Theory, InlineData("$share/group"), InlineData("$share/"), InlineData("$share/+/topic"), InlineData("$share//topic")]
    [Statement(V311, "MQTT-3.8.4-5")]
    public async Task In_MQTT_3_1_1_such_a_filter_is_refused_and_the_client_lives_on(string filter)
    {
        var client = await ConnectAsync(V311);
        await client.SendAsync(new Subscribe(1, filter, 1).Encode(V311));
        Assert.Equal([0x80], (await client.ReceiveAsync<SubAck>()).Codes);
        await client.SubscribeAsync(NewTopic(), 1);
    }

    private async Task ExpectRefusedAsync(string filter)
    {
        var client = await ConnectAsync(V5);
        await client.SendAsync(new Subscribe(1, filter, 1).Encode(V5));
        await client.ExpectCloseAsync(0x81);
    }
}
