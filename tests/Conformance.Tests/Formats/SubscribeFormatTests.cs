using static OrleansMqtt.Conformance.Tests.Protocol.RawPackets;

namespace OrleansMqtt.Conformance.Tests.Formats;

/// <summary>SUBSCRIBE and UNSUBSCRIBE: their payload, and their answers (sections 3.8 to 3.11).</summary>
public sealed class SubscribeFormatTests(ConformanceServer server) : ConformanceTests(server)
{
    private const byte Subscribe = 0x82;
    private const byte Unsubscribe = 0xA2;

    [Theory, InlineData(V311, Subscribe), InlineData(V311, Unsubscribe), InlineData(V5, Subscribe), InlineData(V5, Unsubscribe)]
    [Statement(V311, "MQTT-3.8.3-3", "MQTT-3.10.3-2", "MQTT-4.8.0-1")]
    [Statement(V5, "MQTT-3.8.3-2", "MQTT-3.10.3-2", "MQTT-4.13.1-1")]
    public Task Without_a_filter_they_are_a_protocol_error(MqttVersion version, byte type) => ExpectCloseAsync(version, Request(version, type, 1, []), 0x82);

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-3.8.3-4", "MQTT-4.8.0-1")]
    [Statement(V5, "MQTT-3.8.3-5", "MQTT-4.13.1-1")]
    public async Task Reserved_bits_of_the_options_are_malformed(MqttVersion version)
    {
        for (var bit = version is V5 ? 6 : 2; bit < 8; bit++)
        {
            await ExpectCloseAsync(version, Request(version, Subscribe, 1, [], Field("t"), [(byte)(1 << bit)]), 0x81);
        }
    }

    [Theory, InlineData(V311, 3), InlineData(V5, 3), InlineData(V5, 0x30)]
    [Statement(V311, "MQTT-3.8.3-4", "MQTT-4.8.0-1")]
    [Statement(V5, "section 3.8.3.1", "MQTT-4.13.1-1")]
    public Task QoS_3_and_Retain_Handling_3_are_a_protocol_error(MqttVersion version, byte options) =>
        ExpectCloseAsync(version, Request(version, Subscribe, 1, [], Field("t"), [options]), 0x82);

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-3.8.4-1", "MQTT-4.8.0-1")]
    [Statement(V5, "MQTT-3.8.4-1", "MQTT-4.13.1-1")]
    public async Task A_filter_without_options_or_longer_than_the_packet_is_malformed(MqttVersion version)
    {
        await ExpectCloseAsync(version, Request(version, Subscribe, 1, [], Field("t")), 0x81);
        await ExpectCloseAsync(version, Request(version, Subscribe, 1, [], [0, 9, 0x61, 0]), 0x81);
        await ExpectCloseAsync(version, Request(version, Unsubscribe, 1, [], [0, 9, 0x61]), 0x81);
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-3.8.4-1", "MQTT-3.8.4-2", "MQTT-3.8.4-4", "MQTT-3.8.4-5", "MQTT-3.9.3-1", "MQTT-3.9.3-2", "MQTT-3.10.4-4", "MQTT-3.10.4-5", "MQTT-3.10.4-6", "MQTT-2.3.1-7")]
    [Statement(V5, "MQTT-3.8.4-1", "MQTT-3.8.4-2", "MQTT-3.8.4-5", "MQTT-3.8.4-6", "MQTT-3.8.4-7", "MQTT-3.9.3-1", "MQTT-3.9.3-2", "MQTT-2.2.1-6")]
    [Statement(V5, "MQTT-3.10.4-4", "MQTT-3.10.4-5", "MQTT-3.10.4-6", "MQTT-3.11.3-1", "MQTT-3.11.3-2")]
    public async Task Several_filters_count_as_several_packets_with_one_answer(MqttVersion version)
    {
        var topic = NewTopic();
        var client = await ConnectAsync(version);
        var tooDeep = string.Concat(Enumerable.Repeat("a/", 300));
        await client.SendAsync(Request(version, Subscribe, 7, [], Field($"{topic}/a"), [2], Field(tooDeep), [1], Field($"{topic}/b"), [0], Field($"{topic}/c"), [1]));
        var granted = await client.ReceiveAsync<SubAck>();
        Assert.Equal(7, granted.PacketId);
        Assert.Equal(4, granted.Codes.Length);

        // How deep a filter may be is left to the server.
        Assert.Equal([2, 0, 1], (byte[])[granted.Codes[0], granted.Codes[2], granted.Codes[3]]);
        Assert.True(granted.Codes[1] is 1 || (version is V5 ? granted.Codes[1] is 0x80 or 0x8F or 0x97 : granted.Codes[1] is 0x80), $"{granted.Codes[1]:X2}");
        foreach (var level in (string[])["a", "b", "c"])
        {
            await PublishAsync($"{topic}/{level}", 2, level);
            var message = await client.ReceiveAsync<Publish>();
            await client.AcknowledgeAsync(message);
            Assert.Equal((level, level is "a" ? 2 : level is "b" ? 0 : 1), (message.Payload, message.QoS));
        }

        await client.SendAsync(Request(version, Unsubscribe, 8, [], Field($"{topic}/a"), Field($"{topic}/none"), Field($"{topic}/b")));
        var removed = await client.ReceiveAsync<UnsubAck>();
        Assert.Equal(8, removed.PacketId);
        Assert.Equal(version is V5 ? [0, 0x11, 0] : [], removed.Codes);
        await PublishAsync($"{topic}/a", 1, "gone");
        await PublishAsync($"{topic}/b", 1, "gone");
        await PublishAsync($"{topic}/c", 1, "still there");
        Assert.Equal("still there", await client.ReceiveTextAsync());
    }

    [Theory, InlineData(null), InlineData(30)]
    [Statement(V5, "MQTT-3.9.2-1", "MQTT-3.1.2-24", "MQTT-3.9.2-2")]
    public async Task SUBACK_has_a_Reason_String_only_if_it_fits(int? maximumPacketSize)
    {
        Connect connect = new(V5, NewClientId());
        var client = await ConnectAsync(maximumPacketSize is { } size ? connect.With(PropertyId.MaximumPacketSize, size) : connect);
        await client.SendAsync(new Protocol.Subscribe(1, string.Concat(Enumerable.Repeat("a/", 300)), 0).Encode(V5));
        var answer = await client.ReceiveAsync<SubAck>();
        Assert.True(answer.Size <= (maximumPacketSize ?? int.MaxValue), $"{answer} has {answer.Size} bytes.");
        Assert.True(maximumPacketSize is null || answer.Properties.Text(PropertyId.ReasonString) is null, $"{answer}");
    }

    [Fact]
    [Statement(V311, "MQTT-3.3.5-1")]
    public async Task Of_overlapping_subscriptions_the_greatest_QoS_counts()
    {
        var topic = NewTopic();
        var client = await ConnectAsync(V311);
        await client.SubscribeAsync($"{topic}/#", 0);
        await client.SubscribeAsync($"{topic}/+", 2);
        await client.SubscribeAsync($"{topic}/a", 1);
        await PublishAsync($"{topic}/a", 2, "m");
        var message = await client.ReceiveAsync<Publish>();
        Assert.Equal(("m", 2), (message.Payload, message.QoS));
    }
}
