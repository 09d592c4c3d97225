using System.IO.Pipelines;
using System.Net.WebSockets;

namespace OrleansMqtt.Edge.Listeners;

/// <summary>
/// The bytes inside a WebSocket as pipes: packets may begin and end anywhere in the binary frames ([MQTT-6.0.0-2]). A text frame ends the connection ([MQTT-6.0.0-1]).
/// </summary>
internal sealed class WebSocketTransport : IDuplexPipe, IAsyncDisposable
{
    private static readonly PipeOptions Options = new(useSynchronizationContext: false);
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(2);

    private readonly Pipe _received = new(Options);
    private readonly Pipe _toSend = new(Options);
    private readonly IDuplexPipe _raw;
    private readonly WebSocket _webSocket;
    private readonly Task _receiving;
    private readonly Task _sending;

    public WebSocketTransport(IDuplexPipe raw)
    {
        _raw = raw;
        _webSocket = WebSocket.CreateFromStream(
            new DuplexPipeStream(raw), new WebSocketCreationOptions { IsServer = true, SubProtocol = "mqtt", KeepAliveInterval = TimeSpan.Zero });
        _receiving = ReceiveAsync();
        _sending = SendAsync();
    }

    public PipeReader Input => _received.Reader;

    public PipeWriter Output => _toSend.Writer;

    public async ValueTask DisposeAsync()
    {
        await _received.Reader.CompleteAsync();
        await _toSend.Writer.CompleteAsync();
        await _sending;
        await _receiving;
        _webSocket.Dispose();
    }

    private async Task ReceiveAsync()
    {
        var writer = _received.Writer;
        try
        {
            while (true)
            {
                // Waits without memory, so that an idle connection holds none.
                await _webSocket.ReceiveAsync(Memory<byte>.Empty, CancellationToken.None);
                var received = await _webSocket.ReceiveAsync(writer.GetMemory(), CancellationToken.None);
                if (received.MessageType == WebSocketMessageType.Text)
                {
                    await _webSocket.CloseOutputAsync(WebSocketCloseStatus.InvalidMessageType, "MQTT needs binary frames.", CancellationToken.None);
                    break;
                }

                if (received.MessageType == WebSocketMessageType.Close)
                {
                    break;
                }

                writer.Advance(received.Count);
                if ((await writer.FlushAsync()).IsCompleted)
                {
                    break;
                }
            }
        }
        catch (Exception exception) when (exception is WebSocketException or IOException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
            // The peer is gone, or sent no WebSocket frames.
        }

        await writer.CompleteAsync();
    }

    private async Task SendAsync()
    {
        var reader = _toSend.Reader;
        try
        {
            while (true)
            {
                var result = await reader.ReadAsync();
                foreach (var segment in result.Buffer)
                {
                    await _webSocket.SendAsync(segment, WebSocketMessageType.Binary, endOfMessage: true, CancellationToken.None);
                }

                reader.AdvanceTo(result.Buffer.End);
                if (result.IsCompleted)
                {
                    using var timeout = new CancellationTokenSource(CloseTimeout);
                    await _webSocket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, timeout.Token);
                    break;
                }
            }
        }
        catch (Exception exception) when (exception is WebSocketException or IOException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
            // The peer is gone.
        }

        await reader.CompleteAsync();
        await _raw.Output.CompleteAsync();
        _raw.Input.CancelPendingRead();
        await _raw.Input.CompleteAsync();
    }
}
