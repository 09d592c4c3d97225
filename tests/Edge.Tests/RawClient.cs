using System.Net;
using System.Net.Sockets;
using System.Text;

namespace OrleansMqtt.Edge.Tests;

/// <summary>A client that sends and sees bytes, written as hexadecimal.</summary>
internal sealed class RawClient(Socket socket) : IDisposable
{
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    public Socket Socket => socket;

    public static async Task<RawClient> OpenAsync(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, port);
        return new RawClient(socket);
    }

    /// <summary>Opens a connection and reads CONNACK.</summary>
    public static async Task<RawClient> ConnectAsync(int port, string clientId, int version, int keepAlive = 0, string properties = "", int flags = 2)
    {
        var client = await OpenAsync(port);
        await client.SendAsync(ConnectPacket(clientId, version, keepAlive, properties, flags));
        var connAck = await client.ReceivePacketAsync();
        Assert.StartsWith("20", connAck, StringComparison.Ordinal);
        Assert.Equal("00", connAck[6..8]);
        return client;
    }

    public static string ConnectPacket(string clientId, int version, int keepAlive = 0, string properties = "", int flags = 2)
    {
        var body = $"00044D515454{version:X2}{flags:X2}{keepAlive:X4}{(version == 5 ? $"{properties.Length / 2:X2}{properties}" : "")}{Text(clientId)}";
        return $"10{body.Length / 2:X2}{body}";
    }

    /// <summary>A PUBLISH with no properties.</summary>
    public static string PublishPacket(string topic, string payload, int version, int packetId = 0, int qos = 1, bool isDuplicate = false, bool retain = false)
    {
        var body = $"{Text(topic)}{(packetId > 0 ? packetId.ToString("X4") : "")}{(version == 5 ? "00" : "")}{Convert.ToHexString(Encoding.UTF8.GetBytes(payload))}";
        return $"{0x30 | (isDuplicate ? 8 : 0) | (packetId > 0 ? qos << 1 : 0) | (retain ? 1 : 0):X2}{Length(body.Length / 2)}{body}";
    }

    /// <summary>A PUBREL (62) or PUBCOMP (70) of MQTT 5 for an unknown packet identifier.</summary>
    public static string NotFoundPacket(string firstByte, int packetId)
    {
        var reason = Text("No message with this packet identifier is in flight.");
        return $"{firstByte}{(reason.Length / 2) + 5:X2}{packetId:X4}92{(reason.Length / 2) + 1:X2}1F{reason}";
    }

    /// <summary>A string field.</summary>
    public static string Text(string text) => $"{Encoding.UTF8.GetByteCount(text):X4}{Convert.ToHexString(Encoding.UTF8.GetBytes(text))}";

    public async Task SendAsync(string hex) => await SendAsync(Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal)));

    public async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[await socket.SendAsync(bytes)..];
        }
    }

    /// <summary>The next packet.</summary>
    public async Task<string> ReceivePacketAsync()
    {
        var header = new List<byte> { await ReceiveByteAsync() };
        var length = 0;
        for (var shift = 0; ; shift += 7)
        {
            var next = await ReceiveByteAsync();
            header.Add(next);
            length |= (next & 0x7F) << shift;
            if (next < 0x80)
            {
                break;
            }
        }

        var body = new byte[length];
        for (var read = 0; read < length;)
        {
            var count = await ReceiveAsync(body.AsMemory(read));
            Assert.NotEqual(0, count);
            read += count;
        }

        return Convert.ToHexString([.. header, .. body]);
    }

    /// <summary>Everything until the server closes the connection.</summary>
    public async Task<string> ReceiveUntilClosedAsync()
    {
        var all = new List<byte>();
        var buffer = new byte[4096];
        while (true)
        {
            int count;
            try
            {
                count = await ReceiveAsync(buffer);
            }
            catch (SocketException exception) when (exception.SocketErrorCode == SocketError.ConnectionReset)
            {
                count = 0;
            }

            if (count == 0)
            {
                return Convert.ToHexString([.. all]);
            }

            all.AddRange(buffer.AsSpan(0, count));
        }
    }

    /// <summary>Shows that the server has sent nothing before the answer to a ping.</summary>
    public async Task ExpectOnlyPingResponseAsync()
    {
        await SendAsync("C000");
        Assert.Equal("D000", await ReceivePacketAsync());
    }

    public void Dispose() => socket.Dispose();

    private static string Length(int length) => length < 128 ? $"{length:X2}" : $"{(length & 0x7F) | 0x80:X2}{Length(length >> 7)}";

    private async Task<byte> ReceiveByteAsync()
    {
        var buffer = new byte[1];
        Assert.Equal(1, await ReceiveAsync(buffer));
        return buffer[0];
    }

    private async Task<int> ReceiveAsync(Memory<byte> buffer)
    {
        using var timeout = new CancellationTokenSource(Timeout);
        return await socket.ReceiveAsync(buffer, timeout.Token);
    }
}
