using System.ComponentModel;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace OrleansMqtt.Edge.Transport;

/// <summary>Accepts the connections of one port.</summary>
internal sealed class EpollListener(Socket socket, Func<EpollLoop> nextLoop, ILogger logger) : IConnectionListener
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly CancellationTokenSource _unbound = new();
    private bool _hasFailed;

    public EndPoint EndPoint { get; } = socket.LocalEndPoint!;

    /// <summary>The next connection; null when the port is closed.</summary>
    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            Socket? accepted = null;
            try
            {
                accepted = await socket.AcceptAsync(cancellationToken);
                if (EndPoint is IPEndPoint)
                {
                    accepted.NoDelay = true;
                }

                var loop = nextLoop();
                EpollConnection connection = new(accepted, loop);
                loop.Add(connection);
                _hasFailed = false;
                return connection;
            }
            catch (Exception exception) when (IsEnd(exception))
            {
                accepted?.Dispose();
                return null;
            }
            catch (Win32Exception exception)
            {
                // An accepted connection that fails was gone already, unless no more can be watched.
                accepted?.Dispose();
                if (exception is not SocketException { SocketErrorCode: var code }
                    || (accepted is null && code is not (SocketError.ConnectionReset or SocketError.ConnectionAborted)))
                {
                    // As when there are too many open files: the connections wait with the kernel.
                    await PauseAsync(exception);
                }
            }
        }
    }

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        _unbound.Cancel();
        socket.Dispose();
        return default;
    }

    public async ValueTask DisposeAsync()
    {
        await UnbindAsync();
        _unbound.Dispose();
    }

    private bool IsEnd(Exception exception)
        => _unbound.IsCancellationRequested || exception is ObjectDisposedException or SocketException { SocketErrorCode: SocketError.OperationAborted };

    private async Task PauseAsync(Win32Exception exception)
    {
        if (!_hasFailed)
        {
            _hasFailed = true;
            logger.AcceptFailed(exception.Message);
        }

        await Task.Delay(Pause, _unbound.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
