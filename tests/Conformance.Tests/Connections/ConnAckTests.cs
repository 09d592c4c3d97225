namespace OrleansMqtt.Conformance.Tests.Connections;

/// <summary>What CONNACK tells of the server (section 3.2.2.3), and what of it depends on the client.</summary>
public sealed class ConnAckTests(ConformanceServer server) : ConformanceTests(server)
{
    [Fact]
    [Statement(V5, "section 3.2.2.3", "section 2.2.2.2")]
    public async Task Its_properties_belong_to_it_come_once_and_have_values_that_are_allowed()
    {
        var client = await ConnectAsync(V5);
        var properties = client.ConnAck.Properties;
        PropertyId[] allowed =
        [
            PropertyId.SessionExpiry, PropertyId.ReceiveMaximum, PropertyId.MaximumQoS, PropertyId.RetainAvailable, PropertyId.MaximumPacketSize, PropertyId.AssignedClientId,
            PropertyId.TopicAliasMaximum, PropertyId.ReasonString, PropertyId.UserProperty, PropertyId.WildcardAvailable, PropertyId.SubscriptionIdentifierAvailable,
            PropertyId.SharedAvailable, PropertyId.ServerKeepAlive, PropertyId.ResponseInformation, PropertyId.ServerReference, PropertyId.AuthenticationMethod, PropertyId.AuthenticationData,
        ];
        Assert.All(properties, property => Assert.Contains(property.Key, allowed));
        Assert.Equal(properties.DistinctBy(property => property.Key).Count(), properties.Count());
        Assert.NotEqual(0u, properties.Number(PropertyId.ReceiveMaximum));
        Assert.NotEqual(0u, properties.Number(PropertyId.MaximumPacketSize));
        Assert.InRange(properties.Number(PropertyId.MaximumQoS) ?? 1, 0u, 1u);
        PropertyId[] switches = [PropertyId.RetainAvailable, PropertyId.WildcardAvailable, PropertyId.SubscriptionIdentifierAvailable, PropertyId.SharedAvailable];
        Assert.All(switches, each => Assert.InRange(properties.Number(each) ?? 1, 0u, 1u));
    }

    [Fact]
    [Statement(V5, "MQTT-3.2.2-16", "section 3.2.2.3.7")]
    public async Task A_client_identifier_is_assigned_to_a_client_without_one_only()
    {
        Assert.Null((await ConnectAsync(V5)).ConnAck.Properties.Text(PropertyId.AssignedClientId));
        var client = await ConnectAsync(new Connect(V5, ""));
        Assert.NotEmpty(client.ConnAck.Properties.Text(PropertyId.AssignedClientId)!);
    }

    [Theory, InlineData(null), InlineData(0), InlineData(1)]
    [Statement(V5, "MQTT-3.1.2-28", "section 3.1.2.11.6")]
    public async Task Response_Information_comes_to_who_asks_for_it_only(int? asked)
    {
        Connect connect = new(V5, NewClientId());
        var client = await ConnectAsync(asked is { } value ? connect.With(PropertyId.RequestResponseInformation, value) : connect);
        Assert.True(asked == 1 || client.ConnAck.Properties.Text(PropertyId.ResponseInformation) is null, $"{client.ConnAck}");
    }

    [Theory]
    [InlineData((int)PropertyId.RequestResponseInformation, 2)]
    [InlineData((int)PropertyId.RequestProblemInformation, 2)]
    [Statement(V5, "section 3.1.2.11.6", "section 3.1.2.11.7", "MQTT-3.1.4-1")]
    public Task A_request_that_is_neither_0_nor_1_is_a_protocol_error(int property, int value) =>
        ExpectRefusedAsync(new Connect(V5, NewClientId()).With((PropertyId)property, value));

    [Theory]
    [InlineData((int)PropertyId.RequestResponseInformation)]
    [InlineData((int)PropertyId.RequestProblemInformation)]
    [InlineData((int)PropertyId.TopicAliasMaximum)]
    [Statement(V5, "section 3.1.2.11.5", "section 3.1.2.11.6", "section 3.1.2.11.7", "MQTT-3.1.4-1")]
    public Task To_say_it_twice_is_a_protocol_error(int property) =>
        ExpectRefusedAsync(new Connect(V5, NewClientId()).With((PropertyId)property, 1).With((PropertyId)property, 1));

    [Fact]
    [Statement(V5, "MQTT-3.1.2-24")]
    public async Task A_client_that_takes_no_packet_of_its_size_is_refused_with_a_smaller_one()
    {
        var client = await OpenAsync(V5);
        await client.SendAsync(new Connect(V5, NewClientId()).With(PropertyId.MaximumPacketSize, 6).Encode());
        var answer = await client.ReceiveAsync<ConnAck>();
        Assert.True(answer is { Code: >= 0x80, Size: <= 6 }, $"{answer} of {answer.Size} bytes");
        Assert.Null(await client.ReadAsync());
    }
}
