using System.Globalization;

namespace OrleansMqtt.Log.Kafka.Wire;

/// <summary>Where a broker listens.</summary>
internal readonly record struct BrokerAddress(string Host, int Port)
{
    private const int DefaultPort = 9092;

    public override string ToString() => $"{Host}:{Port}";

    /// <summary>Reads <c>host:port</c> entries, separated by commas; IPv6 addresses stand in brackets, a protocol before <c>://</c> is passed over.</summary>
    public static BrokerAddress[] ParseList(string servers) =>
        [.. servers.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(Parse)];

    private static BrokerAddress Parse(string text)
    {
        text = text[(text.IndexOf("://", StringComparison.Ordinal) is >= 0 and var protocol ? protocol + 3 : 0)..];
        var colon = text.LastIndexOf(':');
        var hasPort = colon > text.LastIndexOf(']') && text.IndexOf(':', StringComparison.Ordinal) is var first && (first == colon || text[0] == '[');
        var host = (hasPort ? text[..colon] : text).Trim('[', ']');
        return new(host, hasPort && int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) ? port : DefaultPort);
    }
}
