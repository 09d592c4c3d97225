namespace OrleansMqtt.Edge.Tests.Fuzzing;

/// <summary>What one connection sends.</summary>
/// <param name="Chunks">The bytes as they are written, each with a flush.</param>
/// <param name="IsWebSocket">Whether they are WebSocket frames, after a handshake.</param>
/// <param name="Stream">The MQTT bytes; null when the frames around them are broken, so that nobody can tell what the server sees.</param>
internal sealed record FuzzInput(byte[][] Chunks, bool IsWebSocket, byte[]? Stream)
{
    public override string ToString() => $"{(IsWebSocket ? "WebSocket" : "TCP")} {string.Join(' ', Chunks.Select(Convert.ToHexString))}\nMQTT: {(Stream is null ? "?" : Convert.ToHexString(Stream))}";
}
