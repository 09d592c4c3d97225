using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Xunit;

namespace OrleansMqtt.Silo.Tests;

/// <summary>Publishes the numbers from 0 with QoS 1, as fast as a window of unacknowledged ones allows, and sees that the acknowledgements come in order.</summary>
internal sealed class SequencePublisher(SocketClient client, string topic, int payloadLength, int window) : IAsyncDisposable
{
    /// <summary>As many as there are packet identifiers: only the server limits it.</summary>
    public const int Flood = ushort.MaxValue;

    private readonly SemaphoreSlim _window = new(window);
    private long _sent;
    private long _acknowledged;
    private volatile bool _hasSentAll;

    public long Sent => Volatile.Read(ref _sent);

    public long Acknowledged => Volatile.Read(ref _acknowledged);

    public static async Task<SequencePublisher> ConnectAsync(int port, string topic, int payloadLength, int window, int keepAlive = 0) =>
        new(await SocketClient.ConnectAsync(port, $"publisher-{Guid.NewGuid():N}", keepAlive), topic, payloadLength, window);

    /// <summary>Lets more be unacknowledged.</summary>
    public void Widen(int count) => _window.Release(count);

    /// <summary>Publishes until it is stopped or has sent all, and waits for the acknowledgements.</summary>
    public async Task RunAsync(long count, CancellationToken stop)
    {
        await Task.Yield();
        var reading = ReadAsync();
        await SendAsync(count, stop);
        _hasSentAll = true;

        // Keeps the connection alive; and the answer wakes the reader, in case it has read the last acknowledgement already.
        using PeriodicTimer timer = new(TimeSpan.FromSeconds(1));
        do
        {
            await client.SendPingAsync();
        }
        while (await Task.WhenAny(reading, timer.WaitForNextTickAsync(CancellationToken.None).AsTask()) != reading);

        await reading;
    }

    public async ValueTask DisposeAsync()
    {
        await client.DisposeAsync();
        _window.Dispose();
    }

    private async Task SendAsync(long count, CancellationToken stop)
    {
        var payload = new byte[payloadLength];
        payload.AsSpan().Fill((byte)'x');
        while (_sent < count)
        {
            try
            {
                await _window.WaitAsync(stop);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            var number = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{_sent} "));
            number.CopyTo(payload, 0);
            var packet = SocketClient.Publish(topic, (ushort)((_sent % ushort.MaxValue) + 1), payload);
            Volatile.Write(ref _sent, _sent + 1);
            await client.SendAsync(packet);
            if (_sent % 64 == 0)
            {
                // A socket that takes everything would keep the thread from the others.
                await Task.Yield();
            }
        }
    }

    private async Task ReadAsync()
    {
        while (!_hasSentAll || _acknowledged < Sent)
        {
            var (header, body) = await client.ReadAsync();
            if (header != 0xD0)
            {
                Assert.Equal(0x40, header);
                Assert.Equal((_acknowledged % ushort.MaxValue) + 1, BinaryPrimitives.ReadUInt16BigEndian(body));
                Volatile.Write(ref _acknowledged, _acknowledged + 1);
                _window.Release();
            }
        }
    }
}
