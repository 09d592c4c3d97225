namespace OrleansMqtt.Conformance.Tests.Formats;

/// <summary>UTF-8 Encoded Strings (section 1.5.4), wherever a client sends them.</summary>
public sealed class StringTests(ConformanceServer server) : ConformanceTests(server)
{
    /// <summary>Surrogates, an overlong form, bytes that are none of UTF-8, a character that is cut off, and U+0000.</summary>
    private static readonly byte[][] Wrong = [[0x61, 0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xC0, 0x80], [0x61, 0xFF], [0xE2, 0x82], [0x61, 0, 0x62]];

    [Theory]
    [InlineData(V311, "client identifier"), InlineData(V311, "will topic"), InlineData(V311, "user name")]
    [InlineData(V5, "client identifier"), InlineData(V5, "will topic"), InlineData(V5, "user name"), InlineData(V5, "authentication method")]
    [InlineData(V5, "user property's name"), InlineData(V5, "user property's value"), InlineData(V5, "will's user property's name"), InlineData(V5, "will's user property's value")]
    [InlineData(V5, "will's content type"), InlineData(V5, "will's response topic")]
    [Statement(V311, "MQTT-1.5.3-1", "MQTT-1.5.3-2", "MQTT-3.1.3-4", "MQTT-3.1.3-10", "MQTT-3.1.3-11", "MQTT-3.1.4-1", "MQTT-4.7.3-2")]
    [Statement(V5, "MQTT-1.5.4-1", "MQTT-1.5.4-2", "MQTT-1.5.7-1", "MQTT-3.1.3-4", "MQTT-3.1.3-11", "MQTT-3.1.3-12", "MQTT-3.1.4-1", "MQTT-4.7.3-2")]
    public async Task One_of_CONNECT_that_is_wrong_refuses_the_connection(MqttVersion version, string place)
    {
        foreach (var text in Wrong)
        {
            await ExpectMalformedConnectAsync(version, EncodeConnect(version, place, text), 0x81);
        }

        // It is the text alone that is wrong.
        var client = await OpenAsync(version);
        await client.SendAsync(EncodeConnect(version, place, System.Text.Encoding.UTF8.GetBytes(NewClientId())));
        Assert.Equal(place == "authentication method" ? 0x8C : 0, (await client.ReceiveAsync<ConnAck>()).Code);
    }

    [Theory]
    [InlineData(V311, "topic name"), InlineData(V311, "SUBSCRIBE"), InlineData(V311, "UNSUBSCRIBE"), InlineData(V5, "topic name"), InlineData(V5, "SUBSCRIBE"), InlineData(V5, "UNSUBSCRIBE")]
    [InlineData(V5, "response topic"), InlineData(V5, "content type"), InlineData(V5, "user property's name"), InlineData(V5, "user property's value"), InlineData(V5, "reason string")]
    [Statement(V311, "MQTT-1.5.3-1", "MQTT-1.5.3-2", "MQTT-3.3.2-1", "MQTT-3.8.3-1", "MQTT-3.10.3-1", "MQTT-4.7.3-2", "MQTT-4.8.0-1")]
    [Statement(V5, "MQTT-1.5.4-1", "MQTT-1.5.4-2", "MQTT-1.5.7-1", "MQTT-3.3.2-1", "MQTT-3.3.2-13", "MQTT-3.3.2-19", "MQTT-3.8.3-1", "MQTT-3.10.3-1", "MQTT-4.7.3-2", "MQTT-4.13.1-1")]
    public async Task One_of_a_later_packet_that_is_wrong_closes_the_connection(MqttVersion version, string place)
    {
        foreach (var text in Wrong)
        {
            var field = RawPackets.Field(text);
            await ExpectCloseAsync(version, Encode(version, place, text, field), 0x81);
        }
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-1.5.3-3")]
    [Statement(V5, "MQTT-1.5.4-3")]
    public async Task A_byte_order_mark_is_part_of_a_topic(MqttVersion version)
    {
        var topic = NewTopic();
        var (with, without) = ($"\uFEFF{topic}", topic);
        var client = await ConnectAsync(version);
        await client.SubscribeAsync(with, 1);
        await PublishAsync(without, 1, "without");
        await PublishAsync(with, 1, "with");
        var message = await client.ReceiveAsync<Publish>();
        Assert.Equal((with, "with"), (message.Topic, message.Payload));
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-1.5.3-1")]
    [Statement(V5, "MQTT-1.5.4-1")]
    public async Task Characters_of_all_lengths_and_noncharacters_pass(MqttVersion version)
    {
        var topic = $"{NewTopic()}/aé€😀\u0001\u007F\uFFFF\U0010FFFF";
        var client = await SubscribeAsync(version, topic, 1);
        await PublishAsync(topic, 1, "passes");
        Assert.Equal(topic, (await client.ReceiveAsync<Publish>()).Topic);
    }

    private static byte[] EncodeConnect(MqttVersion version, string place, byte[] text)
    {
        byte[] properties = [(byte)PropertyId.UserProperty, .. At("user property's name"), .. At("user property's value")];
        byte[] method = place == "authentication method" ? [(byte)PropertyId.AuthenticationMethod, .. At(place)] : [];
        byte[] ofWill =
        [
            (byte)PropertyId.UserProperty, .. At("will's user property's name"), .. At("will's user property's value"),
            (byte)PropertyId.ContentType, .. At("will's content type"), (byte)PropertyId.ResponseTopic, .. At("will's response topic"),
        ];
        return RawPackets.ConnectWith(
            [.. properties, .. method], "MQTT", (byte)version, version, RawPackets.UserNameFlag | RawPackets.WillFlag | RawPackets.CleanStartFlag,
            At("client identifier"), RawPackets.Properties(version, ofWill), At("will topic"), RawPackets.Field("will"), At("user name"));

        byte[] At(string field) => field == place ? RawPackets.Field(text) : RawPackets.Field(NewClientId());
    }

    private static byte[] Encode(MqttVersion version, string place, byte[] text, byte[] field) => place switch
    {
        "topic name" => RawPackets.Publish(version, text, []),
        "SUBSCRIBE" => RawPackets.Request(version, 0x82, 1, [], field, [0]),
        "UNSUBSCRIBE" => RawPackets.Request(version, 0xA2, 1, [], field),
        "response topic" => RawPackets.Publish(version, "t"u8.ToArray(), [(byte)PropertyId.ResponseTopic, .. field]),
        "content type" => RawPackets.Publish(version, "t"u8.ToArray(), [(byte)PropertyId.ContentType, .. field]),
        "user property's name" => RawPackets.Publish(version, "t"u8.ToArray(), [(byte)PropertyId.UserProperty, .. field, .. RawPackets.Field("v")]),
        "user property's value" => RawPackets.Publish(version, "t"u8.ToArray(), [(byte)PropertyId.UserProperty, .. RawPackets.Field("n"), .. field]),
        "reason string" => [0x40, (byte)(field.Length + 5), 0, 1, 0, (byte)(field.Length + 1), (byte)PropertyId.ReasonString, .. field],
        _ => throw new ArgumentOutOfRangeException(nameof(place), place, null),
    };
}
