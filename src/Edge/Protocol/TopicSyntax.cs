namespace OrleansMqtt.Edge.Protocol;

/// <summary>The syntax of topic names and filters (MQTT 5, 4.7 and 4.8.2), over UTF-8 that is already checked.</summary>
internal static class TopicSyntax
{
    /// <summary>The most levels of a filter. Each one costs memory at every place that matches, many times its bytes.</summary>
    public const int MaximumLevels = 256;

    private static ReadOnlySpan<byte> SharePrefix => "$share/"u8;

    /// <summary>A name may not be empty or hold wildcards ([MQTT-3.3.2-2], [MQTT-4.7.3-1]).</summary>
    public static bool IsName(ReadOnlySpan<byte> name) => !name.IsEmpty && name.IndexOfAny((byte)'#', (byte)'+') < 0;

    /// <summary>Whether the filter asks for a shared subscription.</summary>
    public static bool IsShared(ReadOnlySpan<byte> filter) => filter.StartsWith(SharePrefix);

    /// <summary>Whether a client identifier is the name of a group of a shared subscription, which is kept under it as a session is.</summary>
    public static bool IsShared(string clientId) => clientId.StartsWith("$share/", StringComparison.Ordinal);

    /// <summary>Whether a topic name, or a filter, is below <c>$SYS</c>.</summary>
    public static bool IsSystem(string topic) => topic.StartsWith("$SYS", StringComparison.Ordinal) && (topic.Length == 4 || topic[4] == '/');

    /// <summary>Whether a filter that does not begin with a wildcard matches a topic name.</summary>
    public static bool Matches(ReadOnlySpan<char> filter, ReadOnlySpan<char> topic)
    {
        while (true)
        {
            var filterEnd = filter.IndexOf('/');
            var topicEnd = topic.IndexOf('/');
            var level = filterEnd < 0 ? filter : filter[..filterEnd];
            if (level is "#")
            {
                return true;
            }

            if (level is not "+" && !level.SequenceEqual(topicEnd < 0 ? topic : topic[..topicEnd]))
            {
                return false;
            }

            if (topicEnd < 0)
            {
                // A # stands for the level above too.
                return filterEnd < 0 || filter[filterEnd..] is "/#";
            }

            if (filterEnd < 0)
            {
                return false;
            }

            filter = filter[(filterEnd + 1)..];
            topic = topic[(topicEnd + 1)..];
        }
    }

    /// <summary>Whether a filter has more levels than the server keeps.</summary>
    public static bool IsTooDeep(ReadOnlySpan<byte> filter) => filter.Count((byte)'/') >= MaximumLevels;

    /// <summary><c>#</c> stands alone in the last level, <c>+</c> alone in its level ([MQTT-4.7.1-1], [MQTT-4.7.1-2]).</summary>
    public static bool IsFilter(ReadOnlySpan<byte> filter)
    {
        if (filter.IsEmpty)
        {
            return false;
        }

        while (true)
        {
            var slash = filter.IndexOf((byte)'/');
            var level = slash < 0 ? filter : filter[..slash];
            if (level.Length > 1 ? level.IndexOfAny((byte)'#', (byte)'+') >= 0 : level.Length == 1 && level[0] == '#' && slash >= 0)
            {
                return false;
            }

            if (slash < 0)
            {
                return true;
            }

            filter = filter[(slash + 1)..];
        }
    }

    /// <summary>Whether a client may name a filter. Before MQTT 5 one that begins as that of a shared subscription is as good as any other, although it may be none that is served.</summary>
    public static bool IsAllowed(ReadOnlySpan<byte> filter, ProtocolVersion version) => IsServed(filter) || (version != ProtocolVersion.Mqtt5 && IsFilter(filter));

    /// <summary>Whether there can be subscriptions to a filter.</summary>
    public static bool IsServed(ReadOnlySpan<byte> filter) => IsShared(filter) ? IsSharedFilter(filter) : IsFilter(filter);

    /// <summary><c>$share/{name}/{filter}</c>, the name not empty and without wildcards ([MQTT-4.8.2-1], [MQTT-4.8.2-2]).</summary>
    private static bool IsSharedFilter(ReadOnlySpan<byte> filter)
    {
        var rest = filter[SharePrefix.Length..];
        var slash = rest.IndexOf((byte)'/');
        return slash > 0 && IsName(rest[..slash]) && IsFilter(rest[(slash + 1)..]);
    }
}
