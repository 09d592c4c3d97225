namespace OrleansMqtt.Conformance.Tests.Formats;

/// <summary>Properties that do not belong to a packet, come twice, or have a value that is not allowed (section 2.2.2).</summary>
public sealed class PropertyTests(ConformanceServer server) : ConformanceTests(server)
{
    [Theory]
    [InlineData((int)PropertyId.ReceiveMaximum, 0, 0x82), InlineData((int)PropertyId.MaximumPacketSize, 0, 0x82), InlineData((int)PropertyId.RequestProblemInformation, 2, 0x82)]
    [InlineData((int)PropertyId.TopicAlias, 1, 0x81), InlineData((int)PropertyId.WillDelay, 1, 0x81), InlineData((int)PropertyId.MaximumQoS, 1, 0x81), InlineData((int)PropertyId.ServerKeepAlive, 1, 0x81)]
    [Statement(V5, "MQTT-3.1.4-1", "MQTT-3.2.2-8", "section 2.2.2.2")]
    public async Task CONNECT_with_a_wrong_one_is_refused(int property, int value, byte code)
    {
        var client = await OpenAsync(V5);
        await client.SendAsync(new Connect(V5, NewClientId()).With((PropertyId)property, value).Encode());
        if (await client.ReadAsync() is { } answer)
        {
            Assert.True(answer is ConnAck { IsSessionPresent: false } refusal && (refusal.Code == code || (code == 0x81 && refusal.Code == 0x82)), $"{answer}");
            Assert.Null(await client.ReadAsync());
        }
    }

    [Theory]
    [InlineData((int)PropertyId.SessionExpiry), InlineData((int)PropertyId.ReceiveMaximum), InlineData((int)PropertyId.MaximumPacketSize), InlineData((int)PropertyId.TopicAliasMaximum)]
    [InlineData((int)PropertyId.RequestProblemInformation), InlineData((int)PropertyId.RequestResponseInformation)]
    [Statement(V5, "MQTT-3.1.4-1", "section 3.1.2.11")]
    public Task CONNECT_with_one_twice_is_refused(int property) =>
        ExpectMalformedConnectAsync(V5, new Connect(V5, NewClientId()).With((PropertyId)property, 1).With((PropertyId)property, 1).Encode(), 0x82);

    [Theory, InlineData((int)PropertyId.WillDelay), InlineData((int)PropertyId.PayloadFormat), InlineData((int)PropertyId.MessageExpiry)]
    [Statement(V5, "MQTT-3.1.4-1", "section 3.1.3.2")]
    public Task A_will_with_one_twice_is_refused(int property)
    {
        PropertyList twice = new() { { (PropertyId)property, 1 }, { (PropertyId)property, 1 } };
        return ExpectMalformedConnectAsync(V5, (new Connect(V5, NewClientId()) with { Will = new(NewTopic(), "w") { Properties = twice } }).Encode(), 0x82);
    }

    [Theory]
    [InlineData((int)PropertyId.SubscriptionIdentifier, 0x82), InlineData((int)PropertyId.ReasonString, 0x81), InlineData((int)PropertyId.SessionExpiry, 0x81), InlineData((int)PropertyId.WillDelay, 0x81)]
    [Statement(V5, "MQTT-3.3.4-6", "MQTT-4.13.1-1", "section 2.2.2.2")]
    public Task PUBLISH_with_one_of_another_packet_closes_the_connection(int property, byte code)
    {
        PropertyList properties = new() { { (PropertyId)property, (PropertyId)property is PropertyId.ReasonString ? "x" : 1 } };
        return ExpectCloseAsync(V5, new Publish(NewTopic(), "m") { QoS = 1, PacketId = 1, Properties = properties }.Encode(V5), code, 0x82);
    }

    [Theory, InlineData(true), InlineData(false)]
    [Statement(V5, "MQTT-4.13.1-1", "section 3.8.2.1.2")]
    public Task A_Subscription_Identifier_of_0_or_two_of_them_are_a_protocol_error(bool isTwice)
    {
        PropertyList properties = isTwice ? new() { { PropertyId.SubscriptionIdentifier, 1 }, { PropertyId.SubscriptionIdentifier, 2 } } : new() { { PropertyId.SubscriptionIdentifier, 0 } };
        return ExpectCloseAsync(V5, new Subscribe(1, NewTopic(), 0) { Properties = properties }.Encode(V5), 0x82);
    }

    [Theory]
    [InlineData(new byte[] { 0x82, 10, 0, 1, 3, 0x23, 0, 1, 0, 1, 0x61, 0 })]
    [InlineData(new byte[] { 0xA2, 8, 0, 1, 2, 0x0B, 1, 0, 1, 0x61 })]
    [InlineData(new byte[] { 0x40, 6, 0, 1, 0, 2, 0x01, 1 })]
    [InlineData(new byte[] { 0x62, 6, 0, 1, 0, 2, 0x01, 1 })]
    [InlineData(new byte[] { 0x82, 9, 0, 1, 2, 0x7F, 1, 0, 1, 0x61, 0 })]
    [Statement(V5, "MQTT-4.13.1-1", "section 2.2.2.2")]
    public Task A_later_packet_with_one_of_another_packet_closes_the_connection(byte[] packet) => ExpectCloseAsync(V5, packet, 0x81, 0x82);

    [Theory]
    [InlineData(new byte[] { 0x40, 3, 0, 1, 0x42 }), InlineData(new byte[] { 0x50, 3, 0, 1, 0x92 }), InlineData(new byte[] { 0x62, 3, 0, 1, 0x10 }), InlineData(new byte[] { 0x70, 3, 0, 1, 0x80 })]
    [InlineData(new byte[] { 0xE0, 1, 0x8E }), InlineData(new byte[] { 0xE0, 1, 0x01 })]
    [Statement(V5, "MQTT-3.4.2-1", "MQTT-3.5.2-1", "MQTT-3.6.2-1", "MQTT-3.7.2-1", "MQTT-3.14.2-1", "MQTT-4.13.1-1")]
    public Task A_reason_code_of_another_packet_closes_the_connection(byte[] packet) => ExpectCloseAsync(V5, packet, 0x81, 0x82);
}
