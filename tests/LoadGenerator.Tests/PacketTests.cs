using System.Text;
using OrleansMqtt.LoadGenerator.Mqtt;
using Xunit;

namespace OrleansMqtt.LoadGenerator.Tests;

public sealed class PacketTests
{
    [Theory]
    [InlineData(4, 0, 16)]
    [InlineData(4, 1, 256)]
    [InlineData(4, 2, 70_000)]
    [InlineData(5, 0, 100)]
    [InlineData(5, 1, 16)]
    [InlineData(5, 2, 2_200_000)]
    public void A_publish_is_read_as_it_was_written(int protocol, int qos, int length)
    {
        var template = new PublishTemplate(protocol, "a/ü", qos, length);
        byte[] packet = new byte[template.Length];
        template.Write(packet, 0xABCD, new MessageHeader(7, 0x80000001, -5));

        ReadOnlySpan<byte> data = packet;
        Assert.True(PacketReader.TryRead(ref data, out byte first, out var body));
        var publish = ReceivedPublish.Read(first, body, protocol);

        Assert.Equal(0, data.Length);
        Assert.Equal(PacketType.Publish, (PacketType)(first >> 4));
        Assert.Equal("a/ü", Encoding.UTF8.GetString(publish.Topic));
        Assert.Equal(qos, publish.QualityOfService);
        Assert.Equal(qos > 0 ? 0xABCD : 0, publish.PacketId);
        Assert.Equal(length, publish.Payload.Length);
        Assert.Equal(new MessageHeader(7, 0x80000001, -5), MessageHeader.Read(publish.Payload));
    }

    [Fact]
    public void Connect_has_the_bytes_of_the_specification()
    {
        Assert.Equal(
            [0x10, 0x10, 0, 4, .. "MQTT"u8, 4, 2, 0, 60, 0, 4, .. "c-p1"u8],
            PacketWriter.Connect(new ConnectOptions(4, "c-p1") { KeepAlive = 60 }));
        Assert.Equal(
            [0x10, 0x1A, 0, 4, .. "MQTT"u8, 5, 0xC2, 0, 60, 3, 0x21, 0, 20, 0, 4, .. "c-p1"u8, 0, 1, .. "u"u8, 0, 1, .. "p"u8],
            PacketWriter.Connect(new ConnectOptions(5, "c-p1") { KeepAlive = 60, UserName = "u", Password = "p", ReceiveMaximum = 20 }));
    }

    [Fact]
    public void Connect_with_a_session_and_a_will_has_the_bytes_of_the_specification()
    {
        Assert.Equal(
            [0x10, 0x22, 0, 4, .. "MQTT"u8, 5, 0x14, 0, 0, 8, 0x11, 0, 0, 0x0E, 0x10, 0x21, 0, 3, 0, 1, .. "c"u8, 5, 0x18, 0, 0, 0, 2, 0, 1, .. "w"u8, 0, 1, .. "x"u8],
            PacketWriter.Connect(new ConnectOptions(5, "c") { CleanStart = false, SessionExpiry = 3600, ReceiveMaximum = 3, Will = new("w", "x", 2, 2) }));
        Assert.Equal(
            [0x10, 0x13, 0, 4, .. "MQTT"u8, 4, 0x0C, 0, 0, 0, 1, .. "c"u8, 0, 1, .. "w"u8, 0, 1, .. "x"u8],
            PacketWriter.Connect(new ConnectOptions(4, "c") { CleanStart = false, SessionExpiry = 3600, Will = new("w", "x", 1) }));
        Assert.Equal([0xE0, 7, 0, 5, 0x11, 0, 0, 0, 0], PacketWriter.DisconnectWithExpiry(0));
    }

    [Fact]
    public void Publish_and_unsubscribe_have_the_bytes_of_the_specification()
    {
        Assert.Equal([0x3C, 8, 0, 1, .. "t"u8, 1, 2, 0, .. "xy"u8], PacketWriter.Publish(5, 0x0102, "t", "xy"u8, 2, isDuplicate: true));
        Assert.Equal([0x30, 5, 0, 1, .. "t"u8, .. "xy"u8], PacketWriter.Publish(4, 0, "t", "xy"u8, 0, isDuplicate: false));
        Assert.Equal([0xA2, 6, 0, 9, 0, 0, 1, .. "t"u8], PacketWriter.Unsubscribe(5, 9, "t"));
    }

    [Fact]
    public void Subscribe_and_acknowledgements_have_the_bytes_of_the_specification()
    {
        Assert.Equal([0x82, 8, 0, 1, 0, 3, .. "a/+"u8, 2], PacketWriter.Subscribe(4, 1, "a/+", 2));
        Assert.Equal([0x82, 9, 0, 1, 0, 0, 3, .. "a/+"u8, 1], PacketWriter.Subscribe(5, 1, "a/+", 1));
        byte[] release = new byte[4];
        PacketWriter.WriteAcknowledgement(release, PacketType.PubRel, 258);
        Assert.Equal([0x62, 2, 1, 2], release);
    }

    [Fact]
    public void A_packet_is_read_only_when_it_is_complete()
    {
        byte[] packet = [0x40, 2, 0, 9];
        for (int length = 0; length < packet.Length; length++)
        {
            ReadOnlySpan<byte> part = packet.AsSpan(0, length);
            Assert.False(PacketReader.TryRead(ref part, out _, out _));
            Assert.Equal(length, part.Length);
        }

        ReadOnlySpan<byte> two = [.. packet, .. packet];
        Assert.True(PacketReader.TryRead(ref two, out byte first, out var body));
        Assert.Equal(0x40, first);
        Assert.Equal(((ushort)9, (byte)0), PacketReader.ReadAcknowledgement(body));
        Assert.Equal(4, two.Length);
    }

    [Fact]
    public void A_length_of_five_bytes_is_malformed() => Assert.Throws<LoadException>(() =>
    {
        ReadOnlySpan<byte> data = [0x30, 0xFF, 0xFF, 0xFF, 0xFF, 1];
        PacketReader.TryRead(ref data, out _, out _);
    });

    [Fact]
    public void The_limits_in_a_connack_are_found_among_other_properties()
    {
        byte[] body = [0, 0, 24, 0x26, 0, 1, .. "k"u8, 0, 1, .. "v"u8, 0x27, 0, 1, 0, 0, 0x21, 0, 20, 0x24, 1, 0x13, 0, 30, 0x22, 0, 10];
        body[2] = (byte)(body.Length - 3);
        var connAck = ConnAck.Read(body, 5);

        Assert.Equal(new ConnAck(0, 20, 1, 30, null), connAck);
        Assert.Equal(new ConnAck(5, ushort.MaxValue, 2, null, null), ConnAck.Read([0, 5], 4));
    }
}
