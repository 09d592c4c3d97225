using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace OrleansMqtt.Log.Tests;

/// <summary>Stands before a broker, and on demand swallows the next answer and ends its connection: what was asked is done, and nobody is told.</summary>
internal sealed class CuttingProxy : IDisposable
{
    private const short Produce = 0;
    private readonly TcpListener _listener;
    private readonly int _target;
    private int _wanted;

    public CuttingProxy(int port, int target)
    {
        (_listener, _target) = (new(IPAddress.Loopback, port), target);
        _listener.Start();
        _ = AcceptAsync();
    }

    /// <summary>Whether no answer waits to be swallowed.</summary>
    public bool HasCut => Volatile.Read(ref _wanted) == 0;

    /// <summary>Swallows the next answer to a request with records.</summary>
    public void Cut() => Volatile.Write(ref _wanted, 1);

    public void Dispose() => _listener.Dispose();

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = ServeAsync(await _listener.AcceptTcpClientAsync());
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // Closed.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using TcpClient broker = new() { NoDelay = true };
        using (client)
        {
            try
            {
                client.NoDelay = true;
                await broker.ConnectAsync(IPAddress.Loopback, _target);
                var carriesRecords = false;
                var requests = PumpAsync(client.GetStream(), broker.GetStream(), frame =>
                {
                    carriesRecords = BinaryPrimitives.ReadInt16BigEndian(frame.AsSpan(sizeof(int))) == Produce;
                    return true;
                });
                var answers = PumpAsync(broker.GetStream(), client.GetStream(), _ => !carriesRecords || Interlocked.Exchange(ref _wanted, 0) == 0);
                await Task.WhenAny(requests, answers);
            }
            catch (Exception exception) when (exception is IOException or SocketException)
            {
                // One side is gone, and so is the other then.
            }
        }
    }

    private static async Task PumpAsync(NetworkStream source, NetworkStream target, Func<byte[], bool> passes)
    {
        var size = new byte[sizeof(int)];
        while (await source.ReadAtLeastAsync(size, sizeof(int), throwOnEndOfStream: false) == sizeof(int))
        {
            var frame = new byte[sizeof(int) + BinaryPrimitives.ReadInt32BigEndian(size)];
            size.CopyTo(frame, 0);
            await source.ReadExactlyAsync(frame.AsMemory(sizeof(int)));
            if (!passes(frame))
            {
                return;
            }

            await target.WriteAsync(frame);
        }
    }
}
