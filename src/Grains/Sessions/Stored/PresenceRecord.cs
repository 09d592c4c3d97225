using System.Text.Json;

namespace OrleansMqtt.Grains;

/// <summary>
/// Tells whoever follows the sessions topic that a client has come or gone: JSON, because other programs read it. The server itself reads none of it. A session's end removes it.
/// </summary>
internal static class PresenceRecord
{
    /// <param name="isConnected">Whether the client is connected.</param>
    /// <param name="at">Milliseconds since the Unix epoch.</param>
    /// <param name="edge">The silo of the edge.</param>
    public static byte[] Encode(bool isConnected, long at, string edge)
    {
        using MemoryStream stream = new(96);
        using (Utf8JsonWriter writer = new(stream))
        {
            writer.WriteStartObject();
            writer.WriteNumber("version", 1);
            writer.WriteString("state", isConnected ? "connected" : "disconnected");
            writer.WriteNumber("at", at);
            writer.WriteString("edge", edge);
            writer.WriteEndObject();
        }

        return stream.ToArray();
    }
}
