using System.Text;

namespace OrleansMqtt.Edge.Tests;

/// <summary>Clients of MQTT 3.1, where it is configured.</summary>
public sealed class Mqtt31Tests
{
    private static readonly (string, string)[] Allowed = [("AllowMqtt31", "true")];

    [Fact]
    public async Task A_client_connects_publishes_and_subscribes()
    {
        await using var host = await EdgeHost.StartAsync(null, Allowed);
        using var client = await ConnectAsync(host);
        await client.SendAsync($"82080001{RawClient.Text("a/b")}01");
        Assert.Equal("9003000101", await client.ReceivePacketAsync());
        await client.SendAsync(RawClient.PublishPacket("a/b", "hello", 3, 10));
        string[] received = [await client.ReceivePacketAsync(), await client.ReceivePacketAsync()];
        Assert.Contains("4002000A", received);
        Assert.Contains(RawClient.PublishPacket("a/b", "hello", 3, 1), received);
        await client.SendAsync($"A2070002{RawClient.Text("a/b")}");
        Assert.Equal("B0020002", await client.ReceivePacketAsync());
        await client.SendAsync("E000");
        Assert.Equal("", await client.ReceiveUntilClosedAsync());
        await host.Grains.When(() => host.Grains.Calls.Contains("disconnect c Normal"));
    }

    [Theory]
    [InlineData("", false)]
    [InlineData("a", true)]
    [InlineData("12345678901234567890123", true)]
    [InlineData("äöüäöüäöüäöüäöüäöüäöüäö", true)]
    [InlineData("123456789012345678901234", false)]
    public async Task A_client_identifier_has_1_to_23_characters(string clientId, bool isAccepted)
    {
        await using var host = await EdgeHost.StartAsync(null, Allowed);
        using var client = await host.OpenAsync();
        await client.SendAsync(ConnectPacket(clientId));
        Assert.Equal(isAccepted ? "20020000" : "20020002", isAccepted ? await client.ReceivePacketAsync() : await client.ReceiveUntilClosedAsync());
    }

    [Fact]
    public async Task CONNACK_tells_of_no_session()
    {
        await using var host = await EdgeHost.StartAsync(null, Allowed);
        host.Grains.SessionPresent = true;
        using var client = await host.OpenAsync();
        await client.SendAsync(ConnectPacket("c", flags: 0));
        Assert.Equal("20020000", await client.ReceivePacketAsync());
        Assert.Equal(uint.MaxValue, host.Grains.Client("c").LastConnect!.SessionExpirySeconds);
        Assert.False(host.Grains.Client("c").LastConnect!.CleanStart);
    }

    [Theory]
    [InlineData("C2", "", "no user name and no password, although the flags promise them")]
    [InlineData("C2", "000175", "no password, although a flag promises it")]
    [InlineData("C2", "000175 000170", "both")]
    [InlineData("03", "", "the reserved flag")]
    [InlineData("2A", "", "the QoS and the retain flag of no will")]
    public async Task CONNECT_is_accepted_with(string flags, string rest, string what)
    {
        await using var host = await EdgeHost.StartAsync(null, Allowed);
        using var client = await host.OpenAsync();
        await client.SendAsync(ConnectPacket("c", Convert.ToInt32(flags, 16), rest.Replace(" ", "", StringComparison.Ordinal)));
        Assert.True(await client.ReceivePacketAsync() == "20020000", what);
    }

    [Fact]
    public async Task A_SUBSCRIBE_that_is_sent_again_and_its_unused_bits_are_accepted()
    {
        await using var host = await EdgeHost.StartAsync(null, Allowed);
        using var client = await ConnectAsync(host);
        await client.SendAsync($"8A080001{RawClient.Text("a/b")}F5");
        Assert.Equal("9003000101", await client.ReceivePacketAsync());
        await client.SendAsync($"AA070002{RawClient.Text("a/b")}");
        Assert.Equal("B0020002", await client.ReceivePacketAsync());
        await client.SendAsync("6A020007");
        Assert.Equal("70020007", await client.ReceivePacketAsync());
        using var newer = await host.ConnectAsync("n", 4);
        await newer.SendAsync($"8A080001{RawClient.Text("a/b")}01");
        Assert.Equal("", await newer.ReceiveUntilClosedAsync());
    }

    [Fact]
    public async Task A_refused_subscription_is_answered_as_granted_because_there_is_no_other_answer()
    {
        await using var host = await EdgeHost.StartAsync(null, [.. Allowed, ("WildcardSubscriptionsAvailable", "false")]);
        using var client = await ConnectAsync(host);
        await client.SendAsync($"820C0001{RawClient.Text("a/#")}02{RawClient.Text("b")}01");
        Assert.Equal("900400010001", await client.ReceivePacketAsync());
        Assert.Contains("subscribe b:1", host.Grains.Calls);
    }

    [Theory]
    [InlineData("00064D514973647004")]
    [InlineData("00044D51545403")]
    [InlineData("00064D514973647083")]
    public async Task Other_levels_of_the_name_are_refused(string nameAndLevel)
    {
        await using var host = await EdgeHost.StartAsync(null, Allowed);
        using var client = await host.OpenAsync();
        var body = $"{nameAndLevel}020000{RawClient.Text("c")}";
        await client.SendAsync($"10{body.Length / 2:X2}{body}");
        Assert.Equal("20020001", await client.ReceiveUntilClosedAsync());
    }

    [Fact]
    public async Task A_will_is_taken_as_in_later_versions()
    {
        await using var host = await EdgeHost.StartAsync(null, Allowed);
        using var client = await host.OpenAsync();
        await client.SendAsync(ConnectPacket("c", 0x0E, $"{RawClient.Text("w")}{RawClient.Text("bye")}"));
        Assert.Equal("20020000", await client.ReceivePacketAsync());
        var will = host.Grains.Client("c").LastConnect!.Will!.Message;
        Assert.Equal(("w", "bye", 1), (will.Topic, Encoding.UTF8.GetString(will.Payload.Span), will.QoS));
        using var wrong = await host.OpenAsync();
        await wrong.SendAsync(ConnectPacket("d", 0x1E, $"{RawClient.Text("w")}{RawClient.Text("bye")}"));
        Assert.Equal("", await wrong.ReceiveUntilClosedAsync());
    }

    private static async Task<RawClient> ConnectAsync(EdgeHost host)
    {
        var client = await host.OpenAsync();
        await client.SendAsync(ConnectPacket("c"));
        Assert.Equal("20020000", await client.ReceivePacketAsync());
        return client;
    }

    private static string ConnectPacket(string clientId, int flags = 2, string rest = "")
    {
        var body = $"00064D514973647003{flags:X2}0000{RawClient.Text(clientId)}{rest}";
        return $"10{body.Length / 2:X2}{body}";
    }
}
