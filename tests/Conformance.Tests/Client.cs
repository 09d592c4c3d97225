using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace OrleansMqtt.Conformance.Tests;

/// <summary>A client that sends whatever bytes a test wants and sees each packet of the server, acknowledging nothing by itself.</summary>
internal sealed class Client : IDisposable
{
    /// <summary>For whatever the server owes at once; seconds that a test lets pass come on top.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(8);
    private static readonly byte[] PingRequest = [0xC0, 0];
    private readonly Socket _socket;
    private readonly NetworkStream _stream;
    private readonly Queue<Packet> _passedOver = new();
    private ushort _packetId;

    private Client(Socket socket, MqttVersion version)
    {
        (_socket, Version) = (socket, version);
        _stream = new(socket, ownsSocket: true);
    }

    public MqttVersion Version { get; }

    /// <summary>How the server accepted the connection.</summary>
    public ConnAck ConnAck { get; private set; } = null!;

    public static async Task<Client> OpenAsync(EndPoint server, MqttVersion version)
    {
        Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        using CancellationTokenSource limit = new(Limit);
        await socket.ConnectAsync(server, limit.Token);
        return new(socket, version);
    }

    /// <summary>Sends CONNECT; the server has to accept.</summary>
    public async Task ConnectAsync(Connect connect)
    {
        await SendAsync(connect.Encode());
        ConnAck = await ReceiveAsync<ConnAck>();
        Assert.True(ConnAck.Code == 0, $"The server answers {connect} with {ConnAck}.");
    }

    public async Task SendAsync(params byte[][] packets)
    {
        using CancellationTokenSource limit = new(Limit);
        await _stream.WriteAsync(packets.SelectMany(packet => packet).ToArray(), limit.Token);
    }

    /// <summary>The next packet, or null when the server has closed the connection.</summary>
    public async Task<Packet?> ReadAsync(TimeSpan? limit = null)
    {
        if (_passedOver.TryDequeue(out var earlier))
        {
            return earlier;
        }

        using CancellationTokenSource timeout = new(limit ?? Limit);
        try
        {
            var header = new byte[1];
            if (await _stream.ReadAsync(header, timeout.Token) == 0)
            {
                return null;
            }

            var (firstByte, length, size) = (header[0], 0, 2);
            for (var shift = 0; ; shift += 7, size++)
            {
                await _stream.ReadExactlyAsync(header, timeout.Token);
                length |= (header[0] & 0x7F) << shift;
                if (header[0] < 0x80)
                {
                    break;
                }
            }

            var body = new byte[length];
            await _stream.ReadExactlyAsync(body, timeout.Token);
            return Packet.Parse(Version, firstByte, body, size + length);
        }
        catch (IOException exception) when (exception.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionReset })
        {
            return null;
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"The server sent nothing within {limit ?? Limit}.");
        }
    }

    /// <summary>The next packet, which has to be of this type.</summary>
    public async Task<T> ReceiveAsync<T>(TimeSpan? limit = null)
        where T : Packet
    {
        var packet = await ReadAsync(limit);
        return packet as T ?? throw new InvalidDataException($"Expected {typeof(T).Name}, but {packet?.ToString() ?? "the server closed the connection"}.");
    }

    /// <summary>The first packet of this type; those before it stay in their order.</summary>
    public async Task<T> FindAsync<T>()
        where T : Packet
    {
        List<Packet> others = [];
        for (; ; )
        {
            switch (await ReadAsync())
            {
                case T found:
                    others.ForEach(_passedOver.Enqueue);
                    return found;
                case { } other:
                    others.Add(other);
                    break;
                default:
                    throw new InvalidDataException($"Expected {typeof(T).Name}, but the server closed the connection after {string.Join(", ", others)}.");
            }
        }
    }

    /// <summary>The next packets, which have to be messages.</summary>
    public async Task<List<Publish>> ReceiveMessagesAsync(int count)
    {
        List<Publish> messages = [];
        while (messages.Count < count)
        {
            messages.Add(await ReceiveAsync<Publish>());
        }

        return messages;
    }

    /// <summary>The payload of the next packet, a message, which is acknowledged to the end.</summary>
    public async Task<string> ReceiveTextAsync(TimeSpan? limit = null)
    {
        var message = await ReceiveAsync<Publish>(limit);
        await AcknowledgeAsync(message);
        return message.Payload;
    }

    public async Task<string[]> ReceiveTextsAsync(int count)
    {
        var texts = new string[count];
        for (var i = 0; i < count; i++)
        {
            texts[i] = await ReceiveTextAsync();
        }

        return texts;
    }

    /// <summary>The payloads of the messages that have come, and come until the answer to a PINGREQ does; acknowledged to the end.</summary>
    public async Task<List<string>> ReceiveTextsUntilPingAsync()
    {
        List<string> texts = [];
        await SendAsync(PingRequest);
        while (true)
        {
            switch (await ReadAsync())
            {
                case Publish message:
                    await AcknowledgeAsync(message);
                    texts.Add(message.Payload);
                    break;
                case PingResponse:
                    return texts;
                case var packet:
                    throw new InvalidDataException($"Expected messages, but {packet?.ToString() ?? "the server closed the connection"}.");
            }
        }
    }

    /// <summary>Acknowledges a message to the end of its exchange.</summary>
    public async Task AcknowledgeAsync(Publish message)
    {
        if (message.QoS == 1)
        {
            await SendAsync(new PubAck(message.PacketId).Encode());
        }
        else if (message.QoS == 2)
        {
            await SendAsync(new PubRec(message.PacketId).Encode());
            var release = await FindAsync<PubRel>();
            Assert.Equal((message.PacketId, (byte)0), (release.PacketId, release.Code));
            await SendAsync(new PubComp(message.PacketId).Encode());
        }
    }

    /// <summary>Subscribes; the server has to grant the QoS.</summary>
    public async Task SubscribeAsync(string filter, int qoS, int otherOptions = 0, PropertyList? properties = null)
    {
        await SendAsync(new Subscribe(++_packetId, filter, qoS | otherOptions) { Properties = properties ?? [] }.Encode(Version));
        var answer = await FindAsync<SubAck>();
        Assert.Equal(_packetId, answer.PacketId);
        Assert.Equal([(byte)qoS], answer.Codes);
    }

    public async Task UnsubscribeAsync(string filter)
    {
        await SendAsync(new Unsubscribe(++_packetId, filter).Encode(Version));
        Assert.Equal(_packetId, (await FindAsync<UnsubAck>()).PacketId);
    }

    /// <summary>Publishes, to the end of the exchange.</summary>
    public async Task PublishAsync(Publish message)
    {
        message = message with { PacketId = message.QoS == 0 ? (ushort)0 : ++_packetId };
        await SendAsync(message.Encode(Version));
        if (message.QoS == 1)
        {
            AssertAccepts(await FindAsync<PubAck>(), message.PacketId);
        }
        else if (message.QoS == 2)
        {
            AssertAccepts(await FindAsync<PubRec>(), message.PacketId);
            await SendAsync(new PubRel(message.PacketId).Encode());
            AssertAccepts(await FindAsync<PubComp>(), message.PacketId);
        }
    }

    /// <summary>Shows that the server is alive for this connection and has sent nothing else until now. What comes later passes unseen: messages are not in order with the answer to a ping.</summary>
    public async Task ExpectNothingAsync()
    {
        await SendAsync(PingRequest);
        var packet = await ReadAsync();
        Assert.True(packet is PingResponse, $"Expected nothing, but {packet?.ToString() ?? "the server closed the connection"}.");
    }

    public Task PingAsync() => ExpectNothingAsync();

    /// <summary>Ends the connection as the specification wants it; returns when the server has closed its side.</summary>
    public async Task DisconnectAsync(byte code = 0, PropertyList? properties = null)
    {
        await SendAsync(new Disconnect(code, properties ?? []).Encode(Version));
        _socket.Shutdown(SocketShutdown.Send);
        while (await ReadAsync() is { } packet)
        {
            Assert.False(packet is Disconnect, $"The server answers DISCONNECT with {packet}.");
        }

        Dispose();
    }

    /// <summary>Waits until the server closes the connection; what it sent last, if it is DISCONNECT. Nothing may follow that.</summary>
    public async Task<Disconnect?> ReceiveCloseAsync(TimeSpan? limit = null)
    {
        Disconnect? reason = null;
        for (var watch = Stopwatch.StartNew(); await ReadAsync((limit ?? Limit) - watch.Elapsed) is { } packet;)
        {
            Assert.True(reason is null, $"{packet} follows DISCONNECT.");
            reason = packet as Disconnect;
        }

        return reason;
    }

    /// <summary>Waits until the server closes the connection; in MQTT 5 it has to name this reason before.</summary>
    public async Task ExpectCloseAsync(byte code)
    {
        var reason = await ReceiveCloseAsync();
        if (Version is V5)
        {
            Assert.NotNull(reason);
            Assert.Equal($"{code:X2}", $"{reason.Code:X2}");
        }
    }

    /// <summary>The connection is lost.</summary>
    public void Drop() => _stream.Dispose();

    public void Dispose() => _stream.Dispose();

    private static void AssertAccepts(AcknowledgementPacket answer, ushort packetId)
    {
        Assert.Equal(packetId, answer.PacketId);
        Assert.True(answer.Code < 0x80, $"The server refuses with {answer}.");
    }
}
