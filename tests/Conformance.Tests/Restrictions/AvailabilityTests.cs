namespace OrleansMqtt.Conformance.Tests.Restrictions;

/// <summary>What the server is told not to do is announced (MQTT 5), and refused as the specifications say.</summary>
public sealed class AvailabilityTests(RestrictedServer server) : RestrictedConformanceTests(server)
{
    [Fact]
    [Statement(V5, "MQTT-3.2.2-9", "section 3.2.2.3.5", "section 3.2.2.3.8", "section 3.2.2.3.11", "section 3.2.2.3.12", "section 3.2.2.3.13")]
    public async Task CONNACK_tells_what_is_not_available()
    {
        var properties = (await ConnectAsync(V5)).ConnAck.Properties;
        Assert.Equal(1u, properties.Number(PropertyId.MaximumQoS));
        Assert.Equal(0u, properties.Number(PropertyId.RetainAvailable));
        Assert.Equal(0u, properties.Number(PropertyId.WildcardAvailable));
        Assert.Equal(0u, properties.Number(PropertyId.SharedAvailable));
        Assert.Equal(0u, properties.Number(PropertyId.SubscriptionIdentifierAvailable));
        Assert.Equal(0u, properties.Number(PropertyId.TopicAliasMaximum) ?? 0);
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "section 4.8")]
    [Statement(V5, "MQTT-3.2.2-11", "section 3.2.2.3.4", "MQTT-4.13.1-1")]
    public async Task A_message_of_more_than_the_maximum_QoS_ends_the_connection(MqttVersion version)
    {
        var client = await ConnectAsync(version);
        await client.PublishAsync(new Publish(NewTopic(), "") { QoS = 1 });
        await client.SendAsync(new Publish(NewTopic(), "") { QoS = 2, PacketId = 5 }.Encode(version));
        await client.ExpectCloseAsync(0x9B);
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "section 4.8")]
    [Statement(V5, "MQTT-3.2.2-12")]
    public Task A_will_of_more_than_the_maximum_QoS_is_refused(MqttVersion version) =>
        ExpectRefusalAsync(new Connect(version, NewClientId()) { Will = new(NewTopic(), "") { QoS = 2 } }, 0x9B);

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-3.8.4-6")]
    [Statement(V5, "MQTT-3.2.2-10", "MQTT-3.8.4-8")]
    public async Task A_subscription_of_more_than_the_maximum_QoS_is_granted_that(MqttVersion version)
    {
        var topic = NewTopic();
        var client = await ConnectAsync(version);
        for (var asked = 0; asked < 3; asked++)
        {
            await client.SendAsync(new Subscribe(9, topic, asked).Encode(version));
            Assert.Equal(Math.Min(asked, 1), Assert.Single((await client.ReceiveAsync<SubAck>()).Codes));
        }

        await PublishAsync(topic, 1, "message");
        Assert.Equal(1, (await client.ReceiveAsync<Publish>()).QoS);
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "section 4.8")]
    [Statement(V5, "MQTT-3.2.2-14", "section 3.2.2.3.5", "MQTT-4.13.1-1")]
    public async Task A_message_to_be_retained_ends_the_connection(MqttVersion version)
    {
        var client = await ConnectAsync(version);
        await client.SendAsync(new Publish(NewTopic(), "") { IsRetained = true }.Encode(version));
        await client.ExpectCloseAsync(0x9A);
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "section 4.8")]
    [Statement(V5, "MQTT-3.2.2-13")]
    public Task A_will_to_be_retained_is_refused(MqttVersion version) =>
        ExpectRefusalAsync(new Connect(version, NewClientId()) { Will = new(NewTopic(), "") { IsRetained = true } }, 0x9A);

    [Theory, InlineData("+"), InlineData("#")]
    [Statement(V5, "section 3.2.2.3.11", "MQTT-4.13.1-1")]
    public async Task A_wildcard_ends_the_connection_in_MQTT_5(string wildcard)
    {
        var client = await ConnectAsync(V5);
        await client.SubscribeAsync(NewTopic(), 1);
        await client.SendAsync(new Subscribe(9, $"{NewTopic()}/{wildcard}", 0).Encode(V5));
        await client.ExpectCloseAsync(0xA2);
    }

    [Theory, InlineData("+"), InlineData("#")]
    [Statement(V311, "MQTT-3.8.3-2")]
    public async Task A_filter_with_a_wildcard_is_refused_in_MQTT_311(string wildcard)
    {
        var client = await ConnectAsync(V311);
        await client.SendAsync(new Subscribe(9, $"{NewTopic()}/{wildcard}", 0).Encode(V311));
        Assert.Equal(0x80, Assert.Single((await client.ReceiveAsync<SubAck>()).Codes));
        await client.SubscribeAsync(NewTopic(), 1);
    }

    [Fact]
    [Statement(V5, "section 3.2.2.3.13", "MQTT-4.13.1-1")]
    public async Task A_shared_subscription_ends_the_connection()
    {
        var client = await ConnectAsync(V5);
        await client.SendAsync(new Subscribe(9, $"$share/group/{NewTopic()}", 0).Encode(V5));
        await client.ExpectCloseAsync(0x9E);
    }

    [Fact]
    [Statement(V5, "section 3.2.2.3.12", "MQTT-4.13.1-1")]
    public async Task A_subscription_identifier_ends_the_connection()
    {
        var client = await ConnectAsync(V5);
        await client.SendAsync(new Subscribe(9, NewTopic(), 0) { Properties = new() { { PropertyId.SubscriptionIdentifier, 1 } } }.Encode(V5));
        await client.ExpectCloseAsync(0xA1);
    }

    [Fact]
    [Statement(V5, "MQTT-3.2.2-18", "MQTT-3.3.2-9", "MQTT-4.13.1-1")]
    public async Task A_topic_alias_ends_the_connection()
    {
        var client = await ConnectAsync(V5);
        await client.SendAsync(new Publish(NewTopic(), "") { Properties = new() { { PropertyId.TopicAlias, 1 } } }.Encode(V5));
        await client.ExpectCloseAsync(0x94);
    }

    [Theory, InlineData(0, RestrictedServer.KeepAlive), InlineData(RestrictedServer.KeepAlive + 1, RestrictedServer.KeepAlive), InlineData(RestrictedServer.KeepAlive, null)]
    [Statement(V5, "MQTT-3.2.2-21", "MQTT-3.2.2-22", "section 3.2.2.3.14")]
    public async Task A_longer_Keep_Alive_or_none_is_replaced_by_the_longest_that_the_server_allows(int asked, int? replaced)
    {
        var client = await ConnectAsync(new Connect(V5, NewClientId()) { KeepAlive = (ushort)asked });
        Assert.Equal((uint?)replaced, client.ConnAck.Properties.Number(PropertyId.ServerKeepAlive));
    }

    [Fact]
    [Statement(V5, "MQTT-3.1.2-28", "section 3.2.2.3.15")]
    public async Task Response_Information_is_where_the_client_may_put_its_response_topics()
    {
        var clientId = NewClientId();
        var client = await ConnectAsync(new Connect(V5, clientId).With(PropertyId.RequestResponseInformation, 1));
        Assert.Equal($"answers/{clientId}/", client.ConnAck.Properties.Text(PropertyId.ResponseInformation));
        client = await ConnectAsync(new Connect(V5, NewClientId()).With(PropertyId.RequestResponseInformation, 0));
        Assert.Null(client.ConnAck.Properties.Text(PropertyId.ResponseInformation));
        client = await ConnectAsync(V5);
        Assert.Null(client.ConnAck.Properties.Text(PropertyId.ResponseInformation));
        client = await ConnectAsync(new Connect(V5, $"{NewClientId()}/#").With(PropertyId.RequestResponseInformation, 1));
        Assert.Null(client.ConnAck.Properties.Text(PropertyId.ResponseInformation));
    }

    /// <summary>MQTT 5 is told the reason; MQTT 3.1.1 has no code for it.</summary>
    private async Task ExpectRefusalAsync(Connect connect, byte code)
    {
        var client = await OpenAsync(connect.Version);
        await client.SendAsync(connect.Encode());
        var answer = await client.ReadAsync();
        if (connect.Version is V5)
        {
            Assert.Equal($"{code:X2}", $"{Assert.IsType<ConnAck>(answer).Code:X2}");
            Assert.Null(await client.ReadAsync());
        }
        else
        {
            Assert.Null(answer);
        }
    }
}
