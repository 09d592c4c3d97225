using System.IO.Pipelines;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using OrleansMqtt.Edge.Configuration;
using OrleansMqtt.Edge.Connections;
using OrleansMqtt.Edge.Diagnostics;
using OrleansMqtt.Edge.Transport;

namespace OrleansMqtt.Edge.Listeners;

/// <summary>Serves the connections of the listeners: MQTT, or MQTT in WebSocket frames when the first byte is that of an HTTP request.</summary>
internal sealed class MqttConnectionHandler(EdgeContext context)
{
    public async Task OnConnectedAsync(ConnectionContext connection, ListenerTransport transport)
    {
        if (!context.Connections.TryEnter())
        {
            context.Metrics.ConnectionRefused("too-many");
            if (!context.Connections.IsClosed)
            {
                context.Logger.TooManyConnections(context.Options.MaximumConnections);
            }

            return;
        }

        try
        {
            await (transport == ListenerTransport.Tcp ? ServeAsync(connection.Transport, connection) : DetectAsync(connection, transport));
        }
        finally
        {
            context.Connections.Leave();
        }
    }

    private async Task DetectAsync(ConnectionContext connection, ListenerTransport transport)
    {
        var isWebSocket = transport == ListenerTransport.WebSocket;
        if (!isWebSocket)
        {
            // G is no first byte of an MQTT packet. Until it is there, the connection is one whose CONNECT is late, so it is served as MQTT after the timeout.
            var input = connection.Transport.Input;
            using var timeout = new CancellationTokenSource(context.Options.ConnectTimeout, context.Time);
            using var closing = context.Connections.WhenClosed.UnsafeRegister(static timeout => ((CancellationTokenSource)timeout!).Cancel(), timeout);
            try
            {
                var result = await input.ReadAsync(timeout.Token);
                isWebSocket = !result.Buffer.IsEmpty && result.Buffer.FirstSpan[0] == (byte)'G';
                input.AdvanceTo(result.Buffer.Start);
            }
            catch (Exception exception) when (exception is IOException or OperationCanceledException)
            {
                context.Metrics.ConnectionRefused("no-data");
                return;
            }
        }

        if (!isWebSocket)
        {
            await ServeAsync(connection.Transport, connection);
            return;
        }

        if (await WebSocketHandshake.AcceptAsync(connection.Transport, context.Options.ConnectTimeout, context.Time))
        {
            await using var webSocket = new WebSocketTransport(connection.Transport);
            await ServeAsync(webSocket, connection);
        }
        else
        {
            context.Metrics.ConnectionRefused("handshake");
        }
    }

    private static bool HasUnread(Socket socket)
    {
        try
        {
            return socket.Poll(0, SelectMode.SelectRead);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            return false;
        }
    }

    private Task ServeAsync(IDuplexPipe transport, ConnectionContext connection)
    {
        var served = new MqttConnection(context.Connections.NextId(), transport, connection.RemoteEndPoint, connection.Abort, context)
        {
            Inline = transport as IInlineReading,
            HasUnread = connection.Features.Get<IConnectionSocketFeature>() is { } feature ? () => HasUnread(feature.Socket) : null,
        };
        context.Connections.Add(served);
        if (context.Connections.IsClosed)
        {
            // It came just before, and those that go are counted already.
            served.Close(CloseReason.Stopping);
        }

        return served.RunAsync();
    }
}
