namespace OrleansMqtt.Edge.Tests;

public sealed class ConnectTests
{
    [Fact]
    public async Task A_client_of_MQTT_5_is_told_what_the_server_can_do()
    {
        await using var host = await EdgeHost.StartAsync();
        using var client = await host.OpenAsync();
        await client.SendAsync(RawClient.ConnectPacket("c", 5));
        Assert.Equal("2013 00 00 10 2103E8 2401 2500 2700100000 2900 2A00".Replace(" ", ""), await client.ReceivePacketAsync());
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
            Assert.Equal(7, host.Grains.Acknowledgements[0].SessionSlot);
            host.Grains.Change(host.Grains.Acknowledgements.Clear);
            await client.ExpectOnlyPingResponseAsync();
            await client.SendAsync("E000");
            Assert.Equal("", await client.ReceiveUntilClosedAsync());
            await host.Grains.When(() => host.Grains.Calls.Contains($"disconnect c{version} Normal"));
        }
    }
}
