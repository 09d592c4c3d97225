namespace OrleansMqtt.Conformance.Tests.Retained;

/// <summary>What a server says that has retained messages, and one that has none (Retain Available, MQTT 5, section 3.2.2.3.5).</summary>
public sealed class RetainAvailableTests(ConformanceServer server) : ConformanceTests(server)
{
    [Fact]
    [Statement(V5, "section 3.2.2.3.5")]
    public async Task A_server_that_has_them_says_so() => Assert.NotEqual(0u, (await ConnectAsync(V5)).ConnAck.Properties.Number(PropertyId.RetainAvailable) ?? 1);

    [Fact]
    [Statement(V5, "MQTT-3.2.2-13", "section 3.2.2.3.5", "section 3.3.1.3")]
    public async Task A_server_that_has_none_refuses_wills_and_publishes_with_the_flag()
    {
        ConformanceServer.RequireOwn();
        await using var server = await RestartableServer.StartAsync(("Mqtt__RetainAvailable", "false"));
        using var client = await server.ConnectAsync(new Connect(V5, "client"));
        Assert.Equal(0u, client.ConnAck.Properties.Number(PropertyId.RetainAvailable));
        await client.SubscribeAsync("a", 1);
        await client.PublishAsync(new Publish("a", "not retained") { QoS = 1 });
        Assert.Equal("not retained", await client.ReceiveTextAsync());
        await client.SendAsync(new Publish("a", "retained") { QoS = 1, PacketId = 9, IsRetained = true }.Encode(V5));
        Assert.Equal((byte?)0x9A, (await client.ReceiveCloseAsync())?.Code);

        using var withWill = await Client.OpenAsync(server.EndPoint, V5);
        await withWill.SendAsync(new Connect(V5, "with a will") { Will = new("a", "will") { IsRetained = true } }.Encode());
        Assert.Equal(0x9A, (await withWill.ReceiveAsync<ConnAck>()).Code);
        Assert.Null(await withWill.ReadAsync());
    }
}
