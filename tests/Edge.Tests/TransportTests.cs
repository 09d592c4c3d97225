using System.Net.Security;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace OrleansMqtt.Edge.Tests;

public sealed class TransportTests
{
    [Theory]
    [InlineData("/mqtt")]
    [InlineData("/")]
    public async Task A_WebSocket_on_the_same_port_carries_packets_in_any_frames(string path)
    {
        await using var host = await EdgeHost.StartAsync();
        using var webSocket = await ConnectAsync(host, path);
        Assert.Equal("mqtt", webSocket.SubProtocol);
        var bytes = Convert.FromHexString(RawClient.ConnectPacket("w", 4) + RawClient.PublishPacket("a", "x", 4, 1));
        foreach (var part in bytes.Chunk(5))
        {
            await webSocket.SendAsync(part, WebSocketMessageType.Binary, true, Token);
        }

        Assert.Equal("20020000" + "40020001", await ReceiveAsync(webSocket, 8));
        using var plain = await host.ConnectAsync();
        await plain.ExpectOnlyPingResponseAsync();
        await webSocket.SendAsync(new byte[] { 0xE0, 0 }, WebSocketMessageType.Binary, true, Token);
        await host.Grains.When(() => host.Grains.Calls.Contains("disconnect w Normal"));
        Assert.Equal(WebSocketMessageType.Close, (await webSocket.ReceiveAsync(new byte[16], Token)).MessageType);
    }

    [Fact]
    public async Task A_text_frame_ends_the_connection()
    {
        await using var host = await EdgeHost.StartAsync();
        using var webSocket = await ConnectAsync(host, "/mqtt");
        await webSocket.SendAsync(Convert.FromHexString(RawClient.ConnectPacket("w", 4)), WebSocketMessageType.Binary, true, Token);
        await ReceiveAsync(webSocket, 4);
        await webSocket.SendAsync("hello"u8.ToArray(), WebSocketMessageType.Text, true, Token);
        await host.Grains.When(() => host.Grains.Calls.Contains("disconnect w ConnectionLost"));
        Assert.Equal(WebSocketMessageType.Close, (await webSocket.ReceiveAsync(new byte[16], Token)).MessageType);
    }

    [Fact]
    public async Task A_WebSocket_packet_larger_than_any_buffer_passes()
    {
        await using var host = await EdgeHost.StartAsync();
        using var webSocket = await ConnectAsync(host, "/mqtt");
        var payload = new string('x', 300_000);
        var bytes = Convert.FromHexString(RawClient.ConnectPacket("w", 4) + $"82060001{RawClient.Text("a")}00" + RawClient.PublishPacket("a", payload, 4));
        await webSocket.SendAsync(bytes, WebSocketMessageType.Binary, true, Token);
        var packet = RawClient.PublishPacket("a", payload, 4);
        Assert.Equal("200200009003000100" + packet, await ReceiveAsync(webSocket, 9 + (packet.Length / 2)));
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 426")]
    [InlineData("GET / HTTP/1.1\r\nbad\r\n\r\n", "HTTP/1.1 400")]
    [InlineData("GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n", "HTTP/1.1 400")]
    [InlineData("GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: chat\r\n\r\n", "HTTP/1.1 400")]
    [InlineData("GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: chat, mqtt\r\n\r\nX", "HTTP/1.1 101")]
    public async Task An_HTTP_request_gets_an_HTTP_answer(string request, string answer)
    {
        await using var host = await EdgeHost.StartAsync();
        using var client = await host.OpenAsync();
        await client.SendAsync(Encoding.ASCII.GetBytes(request));
        if (request.EndsWith('X'))
        {
            client.Socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);
        }

        Assert.StartsWith(answer, Encoding.ASCII.GetString(Convert.FromHexString(await client.ReceiveUntilClosedAsync())), StringComparison.Ordinal);
        Assert.All(host.Log.Lines, line => Assert.Null(line.Exception));
    }

    [Fact]
    public async Task A_listener_may_have_TLS_and_take_one_protocol_only()
    {
        var directory = Directory.CreateTempSubdirectory();
        try
        {
            var (certificate, key) = WriteCertificate(directory.FullName);
            await using var host = await EdgeHost.StartAsync(
                null,
                ("Listeners:0:Transport", "Tcp"),
                ("Listeners:1:Address", "127.0.0.1"), ("Listeners:1:Port", "0"), ("Listeners:1:CertificatePath", certificate), ("Listeners:1:CertificateKeyPath", key),
                ("Listeners:2:Address", "127.0.0.1"), ("Listeners:2:Port", "0"), ("Listeners:2:Transport", "WebSocket"));
            using var plain = await host.OpenAsync();
            await plain.SendAsync(Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\n\r\n"));
            Assert.Equal("", await plain.ReceiveUntilClosedAsync());

            using var onWebSocketPort = await RawClient.OpenAsync(host.EndPoints[2].Port);
            await onWebSocketPort.SendAsync(Encoding.ASCII.GetBytes("\x10\x0C\0\x04MQTT\x04\x02\0\0\0\0\r\n\r\n"));
            Assert.StartsWith("HTTP/1.1 400", Encoding.ASCII.GetString(Convert.FromHexString(await onWebSocketPort.ReceiveUntilClosedAsync())), StringComparison.Ordinal);

            using var tcp = await RawClient.OpenAsync(host.EndPoints[1].Port);
            await using var stream = new SslStream(new System.Net.Sockets.NetworkStream(tcp.Socket), false, (_, presented, _, _) => presented?.Subject == "CN=localhost");
            await stream.AuthenticateAsClientAsync("localhost");
            await stream.WriteAsync(Convert.FromHexString(RawClient.ConnectPacket("t", 4)), Token);
            var answer = new byte[4];
            await stream.ReadExactlyAsync(answer, Token);
            Assert.Equal("20020000", Convert.ToHexString(answer));

            string[] lines = ["for MQTT on", "for MQTT and MQTT over WebSocket with TLS on", "for MQTT over WebSocket on"];
            var logged = host.Log.Lines.Where(line => line.Text.StartsWith("Listening", StringComparison.Ordinal)).Select(line => line.Text).ToArray();
            Assert.Equal(3, logged.Length);
            for (var i = 0; i < 3; i++)
            {
                Assert.Equal($"Listening {lines[i]} 127.0.0.1:{host.EndPoints[i].Port}", logged[i]);
            }
        }
        finally
        {
            directory.Delete(true);
        }
    }

    [Fact]
    public async Task A_certificate_may_be_PKCS_12_with_a_password_and_its_port_takes_MQTT_and_WebSocket_over_TLS()
    {
        var directory = Directory.CreateTempSubdirectory();
        try
        {
            await using var host = await EdgeHost.StartAsync(
                null, ("Listeners:0:CertificatePath", WritePkcs12(directory.FullName, "correct horse")), ("Listeners:0:CertificatePassword", "correct horse"));
            using var tcp = await RawClient.OpenAsync(host.Port);
            await using var stream = new SslStream(new System.Net.Sockets.NetworkStream(tcp.Socket), false, (_, presented, _, _) => presented?.Subject == "CN=localhost");
            await stream.AuthenticateAsClientAsync("localhost");
            await stream.WriteAsync(Convert.FromHexString(RawClient.ConnectPacket("t", 4) + RawClient.PublishPacket("a", "x", 4, 1)), Token);
            var answer = new byte[8];
            await stream.ReadExactlyAsync(answer, Token);
            Assert.Equal("20020000" + "40020001", Convert.ToHexString(answer));

            using var webSocket = await ConnectAsync(host, "/mqtt", "wss");
            Assert.Equal("mqtt", webSocket.SubProtocol);
            var payload = new string('x', 100_000);
            var packet = RawClient.PublishPacket("b", payload, 4);
            await webSocket.SendAsync(
                Convert.FromHexString(RawClient.ConnectPacket("w", 4) + $"82060001{RawClient.Text("b")}00" + packet), WebSocketMessageType.Binary, true, Token);
            Assert.Equal("200200009003000100" + packet, await ReceiveAsync(webSocket, 9 + (packet.Length / 2)));

            using var plain = await host.OpenAsync();
            await plain.SendAsync(RawClient.ConnectPacket("p", 4));
            Assert.DoesNotContain("20020000", await plain.ReceiveUntilClosedAsync(), StringComparison.Ordinal);
            Assert.DoesNotContain(host.Grains.Calls, call => call.Contains("connect p", StringComparison.Ordinal));
        }
        finally
        {
            directory.Delete(true);
        }
    }

    [Fact]
    public async Task A_wrong_password_of_a_certificate_stops_the_start_with_a_line_that_names_it()
    {
        var directory = Directory.CreateTempSubdirectory();
        try
        {
            var path = WritePkcs12(directory.FullName, "correct horse");
            var exception = await Assert.ThrowsAsync<Microsoft.Extensions.Options.OptionsValidationException>(
                () => EdgeHost.StartAsync(null, ("Listeners:0:CertificatePath", path), ("Listeners:0:CertificatePassword", "battery staple")));
            Assert.StartsWith($"Mqtt:Listeners: the certificate '{path}' cannot be loaded: ", exception.Message, StringComparison.Ordinal);
        }
        finally
        {
            directory.Delete(true);
        }
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static async Task<ClientWebSocket> ConnectAsync(EdgeHost host, string path, string scheme = "ws")
    {
        var webSocket = new ClientWebSocket();
        webSocket.Options.RemoteCertificateValidationCallback = (_, presented, _, _) => presented?.Subject == "CN=localhost";
        webSocket.Options.AddSubProtocol("mqtt");
        await webSocket.ConnectAsync(new Uri($"{scheme}://127.0.0.1:{host.Port}{path}"), Token);
        return webSocket;
    }

    private static async Task<string> ReceiveAsync(ClientWebSocket webSocket, int length)
    {
        using var timeout = new CancellationTokenSource(RawClient.Timeout);
        var buffer = new byte[length];
        for (var read = 0; read < length;)
        {
            var result = await webSocket.ReceiveAsync(buffer.AsMemory(read), timeout.Token);
            Assert.Equal(WebSocketMessageType.Binary, result.MessageType);
            read += result.Count;
        }

        return Convert.ToHexString(buffer);
    }

    private static (string Certificate, string Key) WriteCertificate(string directory)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = CreateCertificate(key);
        var certificatePath = Path.Combine(directory, "certificate.pem");
        var keyPath = Path.Combine(directory, "key.pem");
        File.WriteAllText(certificatePath, certificate.ExportCertificatePem());
        File.WriteAllText(keyPath, key.ExportPkcs8PrivateKeyPem());
        return (certificatePath, keyPath);
    }

    private static string WritePkcs12(string directory, string password)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = CreateCertificate(key);
        var path = Path.Combine(directory, "certificate.p12");
        File.WriteAllBytes(path, certificate.Export(X509ContentType.Pkcs12, password));
        return path;
    }

    private static X509Certificate2 CreateCertificate(ECDsa key) =>
        new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
}
