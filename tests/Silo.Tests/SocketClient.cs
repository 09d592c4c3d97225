using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Xunit;

namespace OrleansMqtt.Silo.Tests;

/// <summary>A client of MQTT 3.1.1 that reads, acknowledges and sends exactly when a test says so.</summary>
internal sealed class SocketClient : IAsyncDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly SemaphoreSlim _sending = new(1);
    private readonly byte[] _buffer = new byte[64 * 1024];
    private int _read;
    private int _filled;

    /// <param name="receiveBuffer">Bytes that the system may take for the client while it does not read; 0 leaves it to the system.</param>
    public static async Task<SocketClient> ConnectAsync(int port, string clientId, int keepAlive = 0, int receiveBuffer = 0)
    {
        SocketClient client = new();
        if (receiveBuffer > 0)
        {
            client._socket.ReceiveBufferSize = receiveBuffer;
        }

        await client._socket.ConnectAsync(IPAddress.Loopback, port);
        byte[] id = [.. Text(clientId)];
        await client.SendAsync((byte[])[0x10, (byte)(10 + id.Length), .. Text("MQTT"), 4, 2, (byte)(keepAlive >> 8), (byte)keepAlive, .. id]);
        Assert.Equal("20-0000", await client.ReadTextAsync());
        return client;
    }

    public async Task SendSubscribeAsync(string filter, byte qos)
    {
        byte[] body = [0, 1, .. Text(filter), qos];
        await SendAsync((byte[])[0x82, (byte)body.Length, .. body]);
    }

    public async Task SubscribeAsync(string filter, byte qos)
    {
        await SendSubscribeAsync(filter, qos);
        Assert.Equal($"90-0001{qos:X2}", await ReadTextAsync());
    }

    /// <summary>Asks, and expects the answer next.</summary>
    public async Task PingAsync(TimeSpan limit)
    {
        await SendPingAsync();
        Assert.Equal("D0-", await ReadTextAsync().WaitAsync(limit));
    }

    public Task SendPingAsync() => SendAsync((byte[])[0xC0, 0]);

    /// <summary>A PUBLISH of QoS 1.</summary>
    public static byte[] Publish(string topic, ushort packetId, ReadOnlySpan<byte> payload)
    {
        List<byte> packet = [0x32];
        var length = 2 + Encoding.UTF8.GetByteCount(topic) + 2 + payload.Length;
        for (; length > 127; length >>= 7)
        {
            packet.Add((byte)(length | 0x80));
        }

        return [.. packet, (byte)length, .. Text(topic), (byte)(packetId >> 8), (byte)packetId, .. payload];
    }

    public async Task SendAsync(ReadOnlyMemory<byte> packets)
    {
        await _sending.WaitAsync();
        try
        {
            while (!packets.IsEmpty)
            {
                packets = packets[await _socket.SendAsync(packets)..];
            }
        }
        finally
        {
            _sending.Release();
        }
    }

    /// <summary>The next message, acknowledged; null when it is the answer to a ping.</summary>
    public async Task<(string Topic, byte[] Payload)?> ReceiveAsync()
    {
        var (header, body) = await ReadAsync();
        if (header == 0xD0)
        {
            return null;
        }

        Assert.Equal(0x30, header & 0xF9);
        var topicLength = BinaryPrimitives.ReadUInt16BigEndian(body);
        var end = 2 + topicLength;
        if ((header & 0x06) == 0)
        {
            return (Encoding.UTF8.GetString(body, 2, topicLength), body[end..]);
        }

        await SendAsync((byte[])[0x40, 2, body[end], body[end + 1]]);
        return (Encoding.UTF8.GetString(body, 2, topicLength), body[(end + 2)..]);
    }

    /// <summary>The next packet: its first byte, and what follows its length.</summary>
    public async Task<(byte Header, byte[] Body)> ReadAsync()
    {
        var header = await ReadByteAsync();
        var length = 0;
        for (var shift = 0; ; shift += 7)
        {
            var next = await ReadByteAsync();
            length |= (next & 0x7F) << shift;
            if (next < 0x80)
            {
                break;
            }
        }

        var body = new byte[length];
        for (var done = 0; done < length;)
        {
            if (_read == _filled)
            {
                await FillAsync();
            }

            var count = Math.Min(length - done, _filled - _read);
            _buffer.AsSpan(_read, count).CopyTo(body.AsSpan(done));
            (done, _read) = (done + count, _read + count);
        }

        return (header, body);
    }

    public ValueTask DisposeAsync()
    {
        _socket.Dispose();
        _sending.Dispose();
        return ValueTask.CompletedTask;
    }

    private static byte[] Text(string text) => [(byte)(text.Length >> 8), (byte)text.Length, .. Encoding.ASCII.GetBytes(text)];

    private async Task<string> ReadTextAsync()
    {
        var (header, body) = await ReadAsync().WaitAsync(TestClient.Limit);
        return $"{header:X2}-{Convert.ToHexString(body)}";
    }

    private async ValueTask<byte> ReadByteAsync()
    {
        if (_read == _filled)
        {
            await FillAsync();
        }

        return _buffer[_read++];
    }

    private async Task FillAsync()
    {
        (_read, _filled) = (0, await _socket.ReceiveAsync(_buffer));
        if (_filled == 0)
        {
            throw new EndOfStreamException("The server closed the connection.");
        }
    }
}
