namespace OrleansMqtt.Conformance.Tests.Formats;

/// <summary>The fixed header (section 2.1): types, flags and Remaining Length.</summary>
public sealed class FixedHeaderTests(ConformanceServer server) : ConformanceTests(server)
{
    [Theory]
    [InlineData(0x40, 0), InlineData(0x50, 0), InlineData(0x60, 2), InlineData(0x70, 0), InlineData(0x80, 2), InlineData(0xA0, 2), InlineData(0xC0, 0), InlineData(0xE0, 0), InlineData(0xF0, 0)]
    [Statement(V311, "MQTT-2.2.2-1", "MQTT-2.2.2-2", "MQTT-3.6.1-1", "MQTT-3.8.1-1", "MQTT-3.10.1-1", "MQTT-3.14.1-1", "MQTT-4.8.0-1")]
    [Statement(V5, "MQTT-2.1.3-1", "MQTT-3.6.1-1", "MQTT-3.8.1-1", "MQTT-3.10.1-1", "MQTT-3.14.1-1", "MQTT-3.15.1-1", "MQTT-4.13.1-1")]
    public async Task Wrong_reserved_flags_are_malformed(int type, int right)
    {
        foreach (var version in (MqttVersion[])[V311, V5])
        {
            byte[] properties = version is V5 ? [0] : [];
            byte[] body = type switch
            {
                0x80 => [0, 1, .. properties, 0, 1, 0x61, 0],
                0xA0 => [0, 1, .. properties, 0, 1, 0x61],
                0xC0 or 0xE0 or 0xF0 => [],
                _ => [0, 1],
            };
            foreach (var flags in Enumerable.Range(0, 16).Where(flags => flags != right))
            {
                await ExpectCloseAsync(version, [(byte)(type | flags), (byte)body.Length, .. body], 0x81);
            }
        }
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-2.2.2-1", "MQTT-2.2.2-2", "MQTT-3.1.4-1")]
    [Statement(V5, "MQTT-2.1.3-1", "MQTT-3.1.4-1")]
    public async Task CONNECT_with_flags_is_malformed(MqttVersion version)
    {
        var connect = new Connect(version, NewClientId()).Encode();
        for (var flags = 1; flags < 16; flags++)
        {
            connect[0] = (byte)(0x10 | flags);
            await ExpectMalformedConnectAsync(version, connect, 0x81);
        }
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-3.3.1-2", "MQTT-3.3.1-4", "MQTT-4.8.0-1")]
    [Statement(V5, "MQTT-3.3.1-2", "MQTT-3.3.1-4", "MQTT-4.13.1-1")]
    public async Task PUBLISH_of_QoS_3_or_a_duplicate_of_QoS_0_is_malformed(MqttVersion version)
    {
        byte[] properties = version is V5 ? [0] : [];
        await ExpectCloseAsync(version, [0x36, (byte)(5 + properties.Length), 0, 1, 0x61, 0, 1, .. properties], 0x81);
        await ExpectCloseAsync(version, [0x38, (byte)(3 + properties.Length), 0, 1, 0x61, .. properties], 0x81, 0x82);
    }

    [Theory]
    [InlineData(new byte[] { 0x00, 0 }), InlineData(new byte[] { 0x20, 2, 0, 0 }), InlineData(new byte[] { 0x90, 3, 0, 1, 0 }), InlineData(new byte[] { 0xB0, 2, 0, 1 })]
    [InlineData(new byte[] { 0xD0, 0 }), InlineData(new byte[] { 0xF0, 0 })]
    [Statement(V311, "MQTT-4.8.0-1")]
    [Statement(V5, "MQTT-4.13.1-1")]
    public async Task A_packet_that_a_client_may_not_send_closes_the_connection(byte[] packet)
    {
        await ExpectCloseAsync(V311, packet);
        await ExpectCloseAsync(V5, packet, 0x81, 0x82);
    }

    [Theory]
    [InlineData(new byte[] { 0xC0, 0x80, 0x00 })]
    [InlineData(new byte[] { 0xC0, 0x80, 0x80, 0x80, 0x80, 0x01 })]
    [InlineData(new byte[] { 0x82, 8, 0, 1, 0x80, 0x00, 0, 1, 0x61, 0 })]
    [InlineData(new byte[] { 0x82, 10, 0, 1, 3, 0x0B, 0x81, 0x00, 0, 1, 0x61, 0 })]
    [Statement(V5, "MQTT-1.5.5-1", "MQTT-4.13.1-1")]
    public Task A_variable_byte_integer_that_is_longer_than_it_has_to_be_is_malformed(byte[] packet) => ExpectCloseAsync(V5, packet, 0x81);

    [Fact]
    [Statement(V5, "MQTT-2.2.2-1")]
    public async Task No_properties_are_told_by_a_length_of_0()
    {
        var topic = NewTopic();
        var client = await ConnectAsync(V5);
        await client.SendAsync(new Subscribe(1, topic, 0).Encode(V5));
        Assert.Equal(6, (await client.ReceiveAsync<SubAck>()).Size);
        await PublishAsync(topic, 0, "m");
        var message = await client.ReceiveAsync<Publish>();
        Assert.Equal(("m", 2 + 2 + topic.Length + 1 + 1), (message.Payload, message.Size));
        await client.SendAsync(new Unsubscribe(2, topic).Encode(V5));
        Assert.Equal(6, (await client.ReceiveAsync<UnsubAck>()).Size);
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "section 4.8")]
    [Statement(V5, "section 3.2.2.3.6", "MQTT-4.13.1-1")]
    public async Task A_packet_that_is_larger_than_the_server_takes_closes_the_connection_as_soon_as_its_header_says_so(MqttVersion version)
    {
        var announced = (await ConnectAsync(V5)).ConnAck.Properties.Number(PropertyId.MaximumPacketSize) ?? 268_435_460;
        Assert.SkipWhen(announced >= 268_435_460, "The server takes packets of any size.");
        PacketWriter header = new();
        header.WriteByte(0x30);
        header.WriteVariableInteger((int)announced);
        await ExpectCloseAsync(version, header.ToArray(), 0x95);
    }
}
