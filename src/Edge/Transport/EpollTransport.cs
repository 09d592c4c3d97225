using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;

namespace OrleansMqtt.Edge.Transport;

/// <summary>
/// A transport of Kestrel for Linux that spends as little as it can on each packet of many connections: a few threads that wait for all of them, receive, and, where the connection
/// allows it (<see cref="IInlineReading"/>), run its reader at once; sends by the thread that flushes.
/// </summary>
/// <param name="serves">Which ports are its own; the others are left to the next transport.</param>
/// <param name="loops">How many threads.</param>
/// <param name="logger">Where it logs.</param>
internal sealed class EpollTransport(Func<EndPoint, bool> serves, int loops, ILogger logger) : IConnectionListenerFactory, IConnectionListenerFactorySelector, IDisposable
{
    private const int Backlog = 512;

    private readonly Lock _gate = new();
    private EpollLoop[]? _loops;
    private uint _next;
    private bool _isDisposed;

    /// <summary>Whether it runs on this system.</summary>
    public static bool IsSupported => OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.Arm64;

    /// <summary>What is enough on this machine: most of the work is elsewhere, and one thread that is busy costs less than two that sleep.</summary>
    public static int DefaultLoops => Math.Clamp(Environment.ProcessorCount / 2, 1, 8);

    public bool CanBind(EndPoint endpoint) => serves(endpoint);

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            _loops ??= [.. Enumerable.Range(0, loops).Select(index => new EpollLoop($"epoll {index}", logger))];
        }

        Socket socket;
        try
        {
            socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            throw new AddressInUseException(exception.Message, exception);
        }

        socket.Listen(Backlog);
        return new(new EpollListener(socket, () => _loops[Interlocked.Increment(ref _next) % loops], logger));
    }

    /// <summary>Aborts the connections that are left.</summary>
    public void Dispose()
    {
        EpollLoop[]? running;
        lock (_gate)
        {
            _isDisposed = true;
            (running, _loops) = (_loops, null);
        }

        foreach (var loop in running ?? [])
        {
            loop.Dispose();
        }
    }
}
