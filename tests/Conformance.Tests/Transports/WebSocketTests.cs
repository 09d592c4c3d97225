using System.Net;
using System.Net.WebSockets;

namespace OrleansMqtt.Conformance.Tests.Transports;

/// <summary>MQTT over WebSocket (section 6).</summary>
public sealed class WebSocketTests(ConformanceServer server) : ConformanceTests(server)
{
    [Theory, InlineData(V311, 1), InlineData(V311, 7), InlineData(V311, 10_000), InlineData(V5, 1), InlineData(V5, 7), InlineData(V5, 10_000)]
    [Statement(V311, "MQTT-6.0.0-2", "MQTT-6.0.0-4", "MQTT-7.1.1-1")]
    [Statement(V5, "MQTT-6.0.0-2", "MQTT-6.0.0-4", "MQTT-4.2-1")]
    public async Task Packets_may_lie_in_frames_in_any_way(MqttVersion version, int frame)
    {
        using var webSocket = await OpenAsync("chat", "mqtt");
        Assert.Equal("mqtt", webSocket.SubProtocol);
        var topic = NewTopic();
        byte[] packets = [.. new Connect(version, NewClientId()).Encode(), .. new Subscribe(1, topic, 0).Encode(version), .. new Publish(topic, "own").Encode(version)];
        foreach (var part in packets.Chunk(frame))
        {
            await webSocket.SendAsync(part, WebSocketMessageType.Binary, endOfMessage: true, Token);
        }

        var message = new Publish(topic, "own").Encode(version);
        List<byte> received = [];
        var buffer = new byte[4096];
        using CancellationTokenSource limit = new(Client.Limit);
        while (!Convert.ToHexString([.. received]).Contains(Convert.ToHexString(message), StringComparison.Ordinal))
        {
            var result = await webSocket.ReceiveAsync(buffer, limit.Token);
            Assert.Equal(WebSocketMessageType.Binary, result.MessageType);
            received.AddRange(buffer.AsSpan(0, result.Count));
        }

        Assert.Equal([0x20], received[..1]);
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-6.0.0-1")]
    [Statement(V5, "MQTT-6.0.0-1")]
    public async Task A_text_frame_closes_the_connection_and_the_server_sends_binary_ones(MqttVersion version)
    {
        var topic = NewTopic();
        var subscriber = await SubscribeAsync(version, topic, 1);
        using var webSocket = await OpenAsync("mqtt");
        await webSocket.SendAsync(new Connect(version, NewClientId()) { Will = new(topic, "lost") }.Encode(), WebSocketMessageType.Binary, endOfMessage: true, Token);
        var buffer = new byte[4096];
        Assert.Equal(WebSocketMessageType.Binary, (await webSocket.ReceiveAsync(buffer, Token)).MessageType);
        await webSocket.SendAsync(new byte[] { 0xC0, 0 }, WebSocketMessageType.Text, endOfMessage: true, Token);
        WebSocketReceiveResult result;
        using CancellationTokenSource limit = new(Client.Limit);
        do
        {
            result = await webSocket.ReceiveAsync(buffer, limit.Token);
        }
        while (result.MessageType != WebSocketMessageType.Close);

        Assert.Equal("lost", await subscriber.ReceiveTextAsync());
    }

    [Fact]
    [Statement(V311, "MQTT-6.0.0-4")]
    [Statement(V5, "MQTT-6.0.0-4")]
    public async Task A_client_that_does_not_offer_mqtt_gets_no_other_subprotocol()
    {
        ConformanceServer.RequireOwn();
        using ClientWebSocket webSocket = new();
        webSocket.Options.AddSubProtocol("chat");
        await Assert.ThrowsAsync<WebSocketException>(() => webSocket.ConnectAsync(Address, Token));
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private Uri Address => new($"ws://{(IPEndPoint)EndPoint}/mqtt");

    private async Task<ClientWebSocket> OpenAsync(params string[] subprotocols)
    {
        ConformanceServer.RequireOwn();
        ClientWebSocket webSocket = new();
        foreach (var subprotocol in subprotocols)
        {
            webSocket.Options.AddSubProtocol(subprotocol);
        }

        using CancellationTokenSource limit = new(Client.Limit);
        await webSocket.ConnectAsync(Address, limit.Token);
        return webSocket;
    }
}
