using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using OrleansMqtt.Edge.Configuration;

namespace OrleansMqtt.Edge.Tests.Fuzzing;

/// <summary>The client's end of a connection: pipes in this process, or a socket.</summary>
internal sealed class FuzzChannel : IAsyncDisposable
{
    private static readonly PipeOptions Options = new(pauseWriterThreshold: 0, useSynchronizationContext: false);

    private readonly Stream _writing;
    private readonly Stream _reading;
    private readonly Socket? _socket;
    private readonly Task _served;

    private FuzzChannel(Stream writing, Stream reading, Socket? socket, Task served) => (_writing, _reading, _socket, _served) = (writing, reading, socket, served);

    /// <summary>Whether the last bytes may be lost because the server closes while others are on their way to it.</summary>
    public bool MayLoseAnswers => _socket is not null;

    public static FuzzChannel Open(FuzzHost host)
    {
        Pipe toServer = new(Options);
        Pipe toClient = new(Options);
        DefaultConnectionContext connection = new($"{Guid.NewGuid()}") { Transport = new DuplexPipe(toServer.Reader, toClient.Writer), RemoteEndPoint = new IPEndPoint(IPAddress.Loopback, 0) };
        return new(toServer.Writer.AsStream(), toClient.Reader.AsStream(), null, ServeAsync());

        async Task ServeAsync()
        {
            await Task.Yield();
            await host.Handler.OnConnectedAsync(connection, ListenerTransport.Any);

            // What the server does after it.
            await connection.Transport.Output.CompleteAsync();
            await connection.Transport.Input.CompleteAsync();
        }
    }

    /// <param name="server">Where it listens.</param>
    /// <param name="from">An address of its own leaves it all ports, of which closed connections keep many busy for a while; null takes the usual one.</param>
    public static async Task<FuzzChannel> ConnectAsync(EndPoint server, IPAddress? from = null)
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (from is not null)
        {
            socket.Bind(new IPEndPoint(from, 0));
        }

        await socket.ConnectAsync(server);
        NetworkStream stream = new(socket, ownsSocket: true);
        return new(stream, stream, socket, Task.CompletedTask);
    }

    /// <summary>False when the server has closed the connection.</summary>
    public async Task<bool> WriteAsync(byte[] bytes, CancellationToken cancellationToken)
    {
        try
        {
            await _writing.WriteAsync(bytes, cancellationToken);
            await _writing.FlushAsync(cancellationToken);
            return true;
        }
        catch (Exception exception) when (exception is IOException or InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>Sends nothing any more.</summary>
    public async Task EndAsync()
    {
        try
        {
            _socket?.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // The server was faster.
        }

        if (_socket is null)
        {
            await _writing.DisposeAsync();
        }
    }

    /// <summary>0 when the server has closed the connection.</summary>
    public async Task<int> ReadAsync(byte[] buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await _reading.ReadAsync(buffer, cancellationToken);
        }
        catch (IOException)
        {
            return 0;
        }
    }

    /// <summary>Completes when the server has done with the connection, which an exception would show.</summary>
    public Task ServedAsync(CancellationToken cancellationToken) => _served.WaitAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _writing.DisposeAsync();
        await _reading.DisposeAsync();
    }

    private sealed class DuplexPipe(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}
