using System.Buffers;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;

namespace OrleansMqtt.Edge.Tests.Transport;

/// <summary>A port of a transport, and clients of it.</summary>
internal sealed class TransportListener(IConnectionListenerFactory transport, IConnectionListener listener) : IAsyncDisposable
{
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    private readonly ConcurrentBag<ConnectionContext> _accepted = [];

    public IPEndPoint EndPoint { get; } = (IPEndPoint)listener.EndPoint;

    public static async Task<TransportListener> StartAsync(IConnectionListenerFactory transport, IPAddress? address = null)
        => new(transport, await transport.BindAsync(new IPEndPoint(address ?? IPAddress.Loopback, 0)));

    /// <summary>The next connection; null after <see cref="UnbindAsync"/>.</summary>
    public async Task<ConnectionContext?> AcceptAsync()
    {
        var connection = await listener.AcceptAsync().AsTask().WaitAsync(Timeout);
        if (connection is not null)
        {
            _accepted.Add(connection);
        }

        return connection;
    }

    public async Task<Socket> ConnectAsync(IPAddress? address = null)
    {
        var target = new IPEndPoint(address ?? EndPoint.Address, EndPoint.Port);
        Socket socket = new(target.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(target).WaitAsync(Timeout);
        return socket;
    }

    /// <summary>A client and the server's side of its connection.</summary>
    public async Task<(Socket Client, ConnectionContext Server)> OpenAsync()
    {
        var client = await ConnectAsync();
        return (client, (await AcceptAsync())!);
    }

    /// <summary>Serves each connection until the port is closed.</summary>
    public async Task ServeAsync(Func<ConnectionContext, Task> serve)
    {
        List<Task> served = [];
        while (await listener.AcceptAsync() is { } connection)
        {
            served.Add(Task.Run(async () =>
            {
                await serve(connection);
                await connection.DisposeAsync();
            }));
        }

        await Task.WhenAll(served).WaitAsync(Timeout);
    }

    /// <summary>Sends back what comes, until the client ends or the connection is aborted.</summary>
    public static async Task EchoAsync(ConnectionContext connection)
    {
        var (input, output) = (connection.Transport.Input, connection.Transport.Output);
        try
        {
            while (true)
            {
                var result = await input.ReadAsync();
                foreach (var segment in result.Buffer)
                {
                    output.Write(segment.Span);
                }

                input.AdvanceTo(result.Buffer.End);
                if ((await output.FlushAsync()).IsCompleted || result.IsCompleted)
                {
                    return;
                }
            }
        }
        catch (Exception exception) when (exception is ConnectionAbortedException or ConnectionResetException)
        {
            // The test wanted it.
        }
    }

    public async Task UnbindAsync() => await listener.UnbindAsync();

    public async ValueTask DisposeAsync()
    {
        await listener.UnbindAsync();
        foreach (var connection in _accepted)
        {
            connection.Abort();
            await connection.DisposeAsync().AsTask().WaitAsync(Timeout);
        }

        await listener.DisposeAsync();
        (transport as IDisposable)?.Dispose();
    }
}
