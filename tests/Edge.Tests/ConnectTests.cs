using System.Text;

namespace OrleansMqtt.Edge.Tests;

public sealed class ConnectTests
{
    [Fact]
    public async Task A_client_of_MQTT_5_is_told_what_the_server_can_do()
    {
        await using var host = await EdgeHost.StartAsync();
        using var client = await host.OpenAsync();
        await client.SendAsync(RawClient.ConnectPacket("c", 5));
        Assert.Equal("200E 00 00 0B 2103E8 2700100000 220040".Replace(" ", ""), await client.ReceivePacketAsync());
    }

    [Fact]
    public async Task A_client_of_MQTT_311_gets_the_short_CONNACK()
    {
        await using var host = await EdgeHost.StartAsync();
        using var client = await host.OpenAsync();
        await client.SendAsync(RawClient.ConnectPacket("c", 4));
        Assert.Equal("20020000", await client.ReceivePacketAsync());
    }

    [Fact]
    public async Task A_publish_is_acknowledged_and_delivered_to_a_subscriber()
    {
        await using var host = await EdgeHost.StartAsync();
        foreach (var version in (int[])[4, 5])
        {
            using var client = await host.ConnectAsync($"c{version}", version);
            await client.SendAsync($"82{(version == 5 ? "09" : "08")}0001{(version == 5 ? "00" : "")}{RawClient.Text("a/b")}01");
            Assert.Equal(version == 5 ? "900400010001" : "9003000101", await client.ReceivePacketAsync());
            await client.SendAsync(RawClient.PublishPacket("a/b", "hello", version, 10));
            string[] received = [await client.ReceivePacketAsync(), await client.ReceivePacketAsync()];
            Assert.Contains("4002000A", received);
            Assert.Contains(RawClient.PublishPacket("a/b", "hello", version, 1), received);
            await client.SendAsync("40020001");
            await host.Grains.When(() => host.Grains.Acknowledgements.Count > 0);
            Assert.Equal(1, host.Grains.Acknowledgements[0].PacketId);
            Assert.Equal(host.Grains.Client($"c{version}").Slot, host.Grains.Acknowledgements[0].SessionSlot);
            host.Grains.Change(host.Grains.Acknowledgements.Clear);
            await client.ExpectOnlyPingResponseAsync();
            await client.SendAsync("E000");
            Assert.Equal("", await client.ReceiveUntilClosedAsync());
            await host.Grains.When(() => host.Grains.Calls.Contains($"disconnect c{version} Normal"));
        }
    }

    [Fact]
    public async Task The_will_of_an_MQTT_5_client_reaches_its_session()
    {
        const string Properties = "1800000005 0101 0200000064 0300026374 0800017A 0900020102 26000161000162";
        var properties = Properties.Replace(" ", "", StringComparison.Ordinal);
        await using var host = await EdgeHost.StartAsync();
        using var client = await host.OpenAsync();
        var body = $"00044D51545405 16 0000 00 {RawClient.Text("c")} {properties.Length / 2:X2} {properties} {RawClient.Text("w/t")} {RawClient.Text("bye")}".Replace(" ", "");
        await client.SendAsync($"10{body.Length / 2:X2}{body}");
        Assert.StartsWith("20", await client.ReceivePacketAsync(), StringComparison.Ordinal);
        var will = host.Grains.Client("c").LastConnect!.Will!;
        Assert.Equal(5u, will.DelaySeconds);
        var message = will.Message;
        Assert.Equal(("w/t", "bye", 2, false), (message.Topic, Encoding.UTF8.GetString(message.Payload.Span), message.QoS, message.Retain));
        Assert.Equal(("c", 0L), (message.PublisherClientId, message.TimestampMilliseconds));
        var said = message.Properties!;
        Assert.Equal((100u, "ct", true, "z"), (said.ExpiryIntervalSeconds, said.ContentType, said.IsText, said.ResponseTopic));
        Assert.Equal("0102", Convert.ToHexString(said.CorrelationData!.Value.Span));
        Assert.Equal([new UserProperty("a", "b")], said.UserProperties);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    public async Task A_will_without_properties_reaches_the_session(int version)
    {
        await using var host = await EdgeHost.StartAsync();
        using var client = await host.OpenAsync();
        var properties = version == 5 ? "00" : "";
        var body = $"00044D515454{version:X2} 0E 0000 {properties} {RawClient.Text("c")} {properties} {RawClient.Text("w")} {RawClient.Text("")}".Replace(" ", "");
        await client.SendAsync($"10{body.Length / 2:X2}{body}");
        Assert.StartsWith("20", await client.ReceivePacketAsync(), StringComparison.Ordinal);
        var will = host.Grains.Client("c").LastConnect!.Will!;
        Assert.Equal((0u, "w", 0, 1, null), (will.DelaySeconds, will.Message.Topic, will.Message.Payload.Length, (int)will.Message.QoS, will.Message.Properties));
    }

    [Fact]
    public async Task The_will_of_a_client_without_an_identifier_has_the_one_that_it_is_given()
    {
        await using var host = await EdgeHost.StartAsync();
        using var client = await host.OpenAsync();
        await client.SendAsync($"1014 00044D51545405 06 0000 00 0000 00 {RawClient.Text("w")} {RawClient.Text("x")}");
        var answer = Encoding.UTF8.GetString(Convert.FromHexString(await client.ReceivePacketAsync()));
        var id = answer.Substring(answer.IndexOf("auto-", StringComparison.Ordinal), 37);
        Assert.Equal(id, host.Grains.Client(id).LastConnect!.Will!.Message.PublisherClientId);
    }

    [Theory]
    [InlineData(5, 2, "", 0u)]
    [InlineData(5, 0, "1100000E10", 3600u)]
    [InlineData(5, 2, "11FFFFFFFF", uint.MaxValue)]
    [InlineData(4, 2, "", 0u)]
    [InlineData(4, 0, "", uint.MaxValue)]
    public async Task The_session_hears_how_long_it_is_to_last(int version, int flags, string properties, uint seconds)
    {
        await using var host = await EdgeHost.StartAsync();
        using var client = await host.OpenAsync();
        await client.SendAsync(RawClient.ConnectPacket("c", version, properties: properties, flags: flags));
        var connAck = await client.ReceivePacketAsync();
        Assert.Equal("0000", connAck[4..8]);
        Assert.True(version == 4 || connAck.StartsWith("200E00000B21", StringComparison.Ordinal), connAck);
        var request = host.Grains.Client("c").LastConnect!;
        Assert.Equal((seconds, flags == 2), (request.SessionExpirySeconds, request.CleanStart));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    public async Task A_client_is_told_whether_its_session_goes_on_and_how_long_it_may_last(int version)
    {
        await using var host = await EdgeHost.StartAsync();
        (host.Grains.SessionPresent, host.Grains.GrantedExpiry) = (true, 60);
        using var client = await host.OpenAsync();
        await client.SendAsync(RawClient.ConnectPacket("c", version, properties: version == 5 ? "1100000E10" : "", flags: 0));
        var connAck = await client.ReceivePacketAsync();
        Assert.StartsWith(version == 5 ? "20130100 10 110000003C 21".Replace(" ", "") : "20020100", connAck, StringComparison.Ordinal);
    }
}
