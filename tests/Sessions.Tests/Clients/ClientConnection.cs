using System.Net;
using System.Net.Sockets;
using OrleansMqtt.LoadGenerator.Mqtt;

namespace OrleansMqtt.Sessions.Tests.Clients;

/// <summary>A socket that sends whole packets and reads them one after the other.</summary>
/// <param name="receiveBufferSize">Bytes that the system keeps for it; 0 for what is usual.</param>
internal sealed class ClientConnection(int receiveBufferSize = 0) : IDisposable
{
    private readonly Socket _socket = NewSocket(receiveBufferSize);
    private byte[] _buffer = new byte[4096];
    private int _length;

    /// <summary>Ends when the server has closed the connection, or this side has.</summary>
    public Task Reading { get; set; } = Task.CompletedTask;

    public async Task OpenAsync(int port, CancellationToken cancellation) => await _socket.ConnectAsync(IPAddress.Loopback, port, cancellation);

    /// <summary>False: the connection is broken; the reader will say so.</summary>
    public bool TrySend(ReadOnlySpan<byte> packet)
    {
        try
        {
            while (!packet.IsEmpty)
            {
                packet = packet[_socket.Send(packet)..];
            }

            return true;
        }
        catch (SocketException)
        {
            return false;
        }
        catch (ObjectDisposedException)
        {
            return false;
        }
    }

    /// <summary>The next packet: its first byte and its body; null when the connection is over.</summary>
    public async Task<(byte First, byte[] Body)?> ReadAsync(CancellationToken cancellation)
    {
        while (true)
        {
            if (TryTake(out var packet))
            {
                return packet;
            }

            if (_length == _buffer.Length)
            {
                Array.Resize(ref _buffer, _buffer.Length * 2);
            }

            try
            {
                var received = await _socket.ReceiveAsync(_buffer.AsMemory(_length), cancellation);
                if (received == 0)
                {
                    return null;
                }

                _length += received;
            }
            catch (SocketException)
            {
                return null;
            }
            catch (ObjectDisposedException)
            {
                return null;
            }
        }
    }

    /// <summary>No more will be sent; the other side may still.</summary>
    public void EndSending()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // Gone already.
        }
    }

    /// <summary>Closes; with a reset the server may not even read what was sent before.</summary>
    public void Close(bool isReset)
    {
        if (isReset)
        {
            _socket.LingerState = new(true, 0);
        }

        _socket.Dispose();
    }

    public void Dispose() => _socket.Dispose();

    private bool TryTake(out (byte First, byte[] Body)? packet)
    {
        ReadOnlySpan<byte> data = _buffer.AsSpan(0, _length);
        packet = null;
        if (!PacketReader.TryRead(ref data, out var first, out var body))
        {
            return false;
        }

        packet = (first, body.ToArray());
        data.CopyTo(_buffer);
        _length = data.Length;
        return true;
    }

    private static Socket NewSocket(int receiveBufferSize)
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, SendTimeout = 10_000 };
        if (receiveBufferSize > 0)
        {
            socket.ReceiveBufferSize = receiveBufferSize;
        }

        return socket;
    }
}
