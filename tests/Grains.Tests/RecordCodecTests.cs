using Microsoft.Extensions.Options;
using OrleansMqtt.Log;
using OrleansMqtt.Storage.Kafka;
using Xunit;

namespace OrleansMqtt.Grains.Tests;

/// <summary>The layout of records, byte for byte: other programs read and write it.</summary>
public sealed class RecordCodecTests
{
    private static readonly RecordCodec Codec = new(Options.Create(new TopicsOptions()));
    private static readonly byte[] Key = "site/1"u8.ToArray();

    [Fact]
    public void A_plain_message_has_its_topic_as_key_and_two_headers()
    {
        MqttMessage message = new() { Topic = "site/1", Payload = "x"u8.ToArray(), QoS = 1, PublisherClientId = "device", TimestampMilliseconds = 1_700_000_000_123 };
        var record = Codec.Encode(Key, message, "device"u8.ToArray(), replyTopic: null);
        Assert.Equal("736974652F31", Hex(record.Key));
        Assert.Equal("78", Hex(record.Value));
        Assert.Equal(1_700_000_000_123, record.TimestampMilliseconds);
        Assert.Equal(["zilla:qos=31", "zilla:local=646576696365"], Lines(record));
    }

    [Fact]
    public void Every_property_has_its_header()
    {
        var record = Codec.Encode(Key, WithAllProperties(), "device"u8.ToArray(), replyTopic: "replies");
        Assert.Equal(
            [
                "zilla:qos=32",
                "zilla:local=646576696365",
                "zilla:expiry=0000012C",
                "zilla:content-type=746578742F706C61696E",
                "zilla:format=54455854",
                "zilla:reply-to=7265706C696573",
                "zilla:reply-key=72",
                "zilla:correlation-id=00FF",
                "a=31",
                "a=32",
                "zilla:~zilla:qos=30",
            ],
            Lines(record));
    }

    [Fact]
    public void A_message_comes_back_as_it_was()
    {
        var message = WithAllProperties();
        var decoded = RoundTrip(Codec.Encode(Key, message, "device"u8.ToArray(), replyTopic: "replies"))!;
        Assert.Equal((message.Topic, message.QoS, message.PublisherClientId, message.TimestampMilliseconds), (decoded.Topic, decoded.QoS, decoded.PublisherClientId, decoded.TimestampMilliseconds));
        var (before, after) = (message.Properties!, decoded.Properties!);
        Assert.Equal((before.ExpiryIntervalSeconds, before.ContentType, before.IsText, before.ResponseTopic), (after.ExpiryIntervalSeconds, after.ContentType, after.IsText, after.ResponseTopic));
        Assert.Equal(Hex(before.CorrelationData), Hex(after.CorrelationData));
        Assert.Equal(before.UserProperties, after.UserProperties);
    }

    [Fact]
    public void A_record_with_just_a_key_is_a_message_of_the_default_QoS()
    {
        var decoded = RoundTrip(new() { Key = Key, Value = null, Headers = [] })!;
        Assert.Equal(("site/1", 1, 0), (decoded.Topic, decoded.QoS, decoded.Payload.Length));
        Assert.Null(decoded.Properties);
    }

    [Fact]
    public void A_record_with_another_key_has_its_topic_in_a_header()
    {
        MqttMessage plain = new() { Topic = "site/1", Payload = "x"u8.ToArray(), QoS = 1, PublisherClientId = "device" };
        var headers = Codec.TopicHeaders("site/1", isKey: false);
        var record = Codec.Encode("device"u8.ToArray(), plain, "device"u8.ToArray(), replyTopic: null, headers, partition: 3);
        Assert.Equal(("646576696365", 3), (Hex(record.Key), record.Partition));
        Assert.Equal(["zilla:qos=31", "zilla:local=646576696365", "zilla:topic=736974652F31"], Lines(record));
        Assert.Equal("site/1", RoundTrip(record)!.Topic);
        Assert.Null(RoundTrip(record)!.Properties);

        record = Codec.Encode("device"u8.ToArray(), plain, local: null, replyTopic: null, headers);
        Assert.Equal(["zilla:qos=31", "zilla:topic=736974652F31"], Lines(record));

        record = Codec.Encode("device"u8.ToArray(), WithAllProperties(), "device"u8.ToArray(), replyTopic: "replies", headers);
        Assert.Equal(["zilla:qos=32", "zilla:local=646576696365", "zilla:topic=736974652F31", "zilla:expiry=0000012C"], Lines(record).Take(4));
        Assert.Equal("site/1", RoundTrip(record)!.Topic);
    }

    [Theory]
    [InlineData("736974652F32", "site/2")]
    [InlineData("", null)]
    [InlineData("612F2B", null)]
    [InlineData("FF", null)]
    public void The_header_of_the_topic_counts_more_than_the_key(string header, string? topic) =>
        Assert.Equal(topic, RoundTrip(new() { Key = Key, Value = null, Headers = [new("zilla:topic", Convert.FromHexString(header))] })?.Topic);

    [Fact]
    public void A_record_without_a_key_is_a_message_when_a_header_holds_the_topic()
    {
        StoredRecord Record(LogHeader[] headers) => new() { Offset = 7, Key = null, Value = null, Headers = headers, TimestampMilliseconds = 5 };
        Assert.Equal("site/1", Codec.Decode(Record([new("zilla:topic", Key)]), defaultQoS: 1, new())!.Topic);
        Assert.Null(Codec.Decode(Record([]), defaultQoS: 1, new()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("612F2B")]
    [InlineData("612F23")]
    [InlineData("6100")]
    [InlineData("FF")]
    [InlineData("EDA080")]
    public void A_record_whose_key_is_no_topic_name_is_no_message(string key) =>
        Assert.Null(RoundTrip(new() { Key = Convert.FromHexString(key), Value = null, Headers = [] }));

    [Fact]
    public void Headers_of_other_producers_that_are_no_MQTT_strings_do_not_travel_on()
    {
        var decoded = RoundTrip(new() { Key = Key, Value = null, Headers = [new("binary", new byte[] { 0xFF }), new("null", null), new("zilla:qos", "9"u8.ToArray()), new("zilla:new", "1"u8.ToArray())] })!;
        Assert.Equal([new("null", "")], decoded.Properties!.UserProperties);
        Assert.Equal(1, decoded.QoS);
    }

    [Fact]
    public void Filter_headers_carry_the_topic_levels_when_they_are_on()
    {
        RecordCodec codec = new(Options.Create(new TopicsOptions { FilterHeaders = true, HeaderPrefix = "mqtt." }));
        var record = codec.Encode(Key, new() { Topic = "site/1", Payload = default, QoS = 0 }, local: null, replyTopic: null);
        Assert.Equal(["mqtt.qos=30", "mqtt.filter=73697465", "mqtt.filter=31"], Lines(record));

        record = codec.Encode("k"u8.ToArray(), new() { Topic = "site/1", Payload = default, QoS = 0 }, local: null, replyTopic: null, codec.TopicHeaders("site/1", isKey: false));
        Assert.Equal(["mqtt.qos=30", "mqtt.topic=736974652F31", "mqtt.filter=73697465", "mqtt.filter=31"], Lines(record));

        record = codec.Encode(Key, new() { Topic = "site/1", Payload = default, QoS = 0, Properties = new() { ResponseTopic = "r/2" } }, local: null, replyTopic: "replies");
        Assert.Equal(
            ["mqtt.qos=30", "mqtt.filter=73697465", "mqtt.filter=31", "mqtt.reply-to=7265706C696573", "mqtt.reply-key=722F32", "mqtt.reply-filter=72", "mqtt.reply-filter=32"],
            Lines(record));
    }

    [Fact]
    public void A_retained_publish_has_a_header_and_its_copy_is_the_same_record_or_deletes_it()
    {
        TopicsOptions options = new();
        MessageEncoder encoder = new(null!, Codec, new(Options.Create(options)), new(Options.Create(options)));
        MqttMessage message = new() { Topic = "site/1", Payload = "x"u8.ToArray(), QoS = 1, Retain = true, PublisherClientId = "device", TimestampMilliseconds = 5 };
        List<StoreRecord> records = [];
        encoder.Add(message, records);
        encoder.Add(new() { Topic = "site/1", Payload = default, QoS = 0, Retain = true, TimestampMilliseconds = 6 }, records);
        encoder.Add(new() { Topic = "site/1", Payload = "y"u8.ToArray(), QoS = 0 }, records);

        Assert.Equal(["mqtt-messages", "mqtt-retained", "mqtt-messages", "mqtt-retained", "mqtt-messages"], records.Select(record => record.Topic));
        Assert.Equal(["zilla:qos=31", "zilla:local=646576696365", "zilla:retain=31"], Lines(records[0].Record));
        Assert.Equal(Lines(records[0].Record), Lines(records[1].Record));
        Assert.Equal(("78", 5), (Hex(records[1].Record.Value), records[1].Record.TimestampMilliseconds));
        Assert.Equal(("", true, 6), (Hex(records[2].Record.Value), records[2].Record.Value is not null, records[2].Record.TimestampMilliseconds));
        Assert.Equal((true, 6), (records[3].Record.Value is null, records[3].Record.TimestampMilliseconds));
        Assert.Equal(["zilla:qos=30"], Lines(records[4].Record));
        Assert.True(RoundTrip(records[0].Record)!.Retain);
        Assert.False(RoundTrip(records[4].Record)!.Retain);
    }

    private static MqttMessage WithAllProperties() => new()
    {
        Topic = "site/1",
        Payload = "x"u8.ToArray(),
        QoS = 2,
        PublisherClientId = "device",
        TimestampMilliseconds = 5,
        Properties = new()
        {
            ExpiryIntervalSeconds = 300,
            ContentType = "text/plain",
            IsText = true,
            ResponseTopic = "r",
            CorrelationData = new byte[] { 0x00, 0xFF },
            UserProperties = [new("a", "1"), new("a", "2"), new("zilla:qos", "0")],
        },
    };

    private static MqttMessage? RoundTrip(LogRecord record) => Codec.Decode(
        new() { Offset = 7, Key = record.Key, Value = record.Value, Headers = record.Headers, TimestampMilliseconds = record.TimestampMilliseconds },
        defaultQoS: 1,
        new Utf8StringCache());

    private static IEnumerable<string> Lines(LogRecord record) => record.Headers.Select(header => $"{header.Name}={Hex(header.Value)}");

    private static string Hex(ReadOnlyMemory<byte>? bytes) => Convert.ToHexString(bytes.GetValueOrDefault().Span);
}
