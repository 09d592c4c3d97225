using System.Buffers;
using System.IO.Pipelines;
using System.Security.Cryptography;
using System.Text;

namespace OrleansMqtt.Edge.Listeners;

/// <summary>The opening handshake of a WebSocket (RFC 6455, 4.2) with the subprotocol <c>mqtt</c> ([MQTT-6.0.0-3], [MQTT-6.0.0-4]), on any path.</summary>
internal static class WebSocketHandshake
{
    private const int MaximumRequestLength = 8 * 1024;
    private const string BadRequest = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    private const string UpgradeRequired =
        "HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\nSec-WebSocket-Version: 13\r\nContent-Length: 0\r\n\r\n";

    /// <summary>Reads the request and answers it; false when it is refused.</summary>
    public static async Task<bool> AcceptAsync(IDuplexPipe transport, TimeSpan limit, TimeProvider time)
    {
        using var timeout = new CancellationTokenSource(limit, time);
        try
        {
            var request = await ReadRequestAsync(transport.Input, timeout.Token);
            var (response, isAccepted) = request is null ? (BadRequest, false) : Answer(request);
            await transport.Output.WriteAsync(Encoding.ASCII.GetBytes(response), timeout.Token);
            return isAccepted;
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException)
        {
            return false;
        }
    }

    private static async Task<string?> ReadRequestAsync(PipeReader input, CancellationToken cancellationToken)
    {
        while (true)
        {
            var result = await input.ReadAsync(cancellationToken);
            var buffer = result.Buffer;
            var reader = new SequenceReader<byte>(buffer);
            if (reader.TryReadTo(out ReadOnlySequence<byte> request, "\r\n\r\n"u8) && request.Length <= MaximumRequestLength)
            {
                var text = Encoding.Latin1.GetString(request);
                input.AdvanceTo(reader.Position);
                return text;
            }

            input.AdvanceTo(buffer.Start, buffer.End);
            if (result.IsCompleted || buffer.Length > MaximumRequestLength)
            {
                return null;
            }
        }
    }

    private static (string Response, bool IsAccepted) Answer(string request)
    {
        var lines = request.Split("\r\n");
        var requestLine = lines[0].Split(' ');
        if (requestLine is not ["GET", _, "HTTP/1.1"])
        {
            return (BadRequest, false);
        }

        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var line in lines.AsSpan(1))
        {
            var colon = line.IndexOf(':');
            if (colon <= 0)
            {
                return (BadRequest, false);
            }

            var name = line[..colon];
            var value = line[(colon + 1)..].Trim();
            headers[name] = headers.TryGetValue(name, out var earlier) ? $"{earlier},{value}" : value;
        }

        if (!Contains(headers, "Upgrade", "websocket") || !Contains(headers, "Connection", "Upgrade") || headers.GetValueOrDefault("Sec-WebSocket-Version") != "13")
        {
            return (UpgradeRequired, false);
        }

        if (!headers.TryGetValue("Sec-WebSocket-Key", out var key) || !IsKey(key) || !Contains(headers, "Sec-WebSocket-Protocol", "mqtt"))
        {
            return (BadRequest, false);
        }

#pragma warning disable CA5350 // RFC 6455 asks for SHA-1; nothing is secret.
        var accept = Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));
#pragma warning restore CA5350
        return ($"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n", true);
    }

    private static bool Contains(Dictionary<string, string> headers, string name, string token)
        => headers.TryGetValue(name, out var value)
            && value.Split(',', StringSplitOptions.TrimEntries).Contains(token, StringComparer.OrdinalIgnoreCase);

    private static bool IsKey(string key) => key.Length == 24 && Convert.TryFromBase64String(key, stackalloc byte[18], out var length) && length == 16;
}
