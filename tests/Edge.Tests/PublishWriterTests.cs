using System.IO.Pipelines;
using OrleansMqtt.Edge.Protocol;

namespace OrleansMqtt.Edge.Tests;

/// <summary>The bytes of a PUBLISH to a client.</summary>
public sealed class PublishWriterTests
{
    private static readonly MqttMessage Plain = new() { Topic = "a/b", Payload = new byte[] { 0xEE }, QoS = 1 };

    [Fact]
    public void Subscription_identifiers_stand_in_their_order_as_long_as_they_have_to_be()
    {
        int[] identifiers = [1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, 268_435_455, 1];
        Assert.Equal(
            "32 27 0003612F62 0007 1E 0B01 0B7F 0B8001 0BFF7F 0B808001 0BFFFF7F 0B80808001 0BFFFFFF7F 0B01 EE".Replace(" ", ""),
            Write(Plain, new PublishHeader { PacketId = 7, QoS = 1, SubscriptionIdentifiers = identifiers }));
    }

    [Fact]
    public void An_alias_comes_with_its_topic_first_and_instead_of_it_later()
    {
        Assert.Equal("30 0A 0003612F62 03 230102 EE".Replace(" ", ""), Write(Plain, new PublishHeader { Alias = new(0x102, IsKnown: false) }));
        Assert.Equal("30 07 0000 03 230102 EE".Replace(" ", ""), Write(Plain, new PublishHeader { Alias = new(0x102, IsKnown: true) }));
    }

    [Fact]
    public void What_is_the_clients_own_stands_before_what_travels_with_the_message()
    {
        MqttMessage message = new()
        {
            Topic = "a/b",
            Payload = new byte[] { 0xEE },
            QoS = 1,
            Properties = new() { ExpiryIntervalSeconds = 60, UserProperties = [new("k", "v")] },
        };
        Assert.Equal(
            "3A 17 0000 0007 11 230001 0B05 0200000009 2600016B000176 EE".Replace(" ", ""),
            Write(message, new PublishHeader { PacketId = 7, QoS = 1, IsDuplicate = true, RemainingExpiry = 9, SubscriptionIdentifiers = [5], Alias = new(1, IsKnown: true) }));
    }

    [Fact]
    public void MQTT_311_knows_neither() =>
        Assert.Equal("30060003612F62EE", Write(Plain, new PublishHeader { SubscriptionIdentifiers = [5] }, ProtocolVersion.Mqtt311));

    [Fact]
    public void All_of_it_counts_for_the_size()
    {
        var header = new PublishHeader { SubscriptionIdentifiers = [300], Alias = new(1, IsKnown: false) };
        Assert.Equal(15, Write(Plain, header, maximum: 15).Length / 2);
        Assert.Equal("", Write(Plain, header, maximum: 14));
    }

    private static string Write(MqttMessage message, in PublishHeader header, ProtocolVersion version = ProtocolVersion.Mqtt5, uint maximum = uint.MaxValue)
    {
        var stream = new MemoryStream();
        var pipe = PipeWriter.Create(stream);
        var output = new OutputBuffer(pipe);
        var isWritten = PublishWriter.TryWrite(ref output, version, message, header, maximum);
        output.Commit();
        pipe.Complete();
        var bytes = stream.ToArray();
        Assert.Equal(isWritten, bytes.Length > 0);
        return Convert.ToHexString(bytes);
    }
}
