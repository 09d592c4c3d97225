namespace OrleansMqtt.Grains;

/// <summary>Rules of MQTT topic names and filters (MQTT 5, 4.7).</summary>
internal static class TopicFilter
{
    /// <summary>Whether it is a filter that may be subscribed to ([MQTT-4.7.1-1], [MQTT-4.7.1-2], [MQTT-4.7.3-1]).</summary>
    public static bool IsValid(ReadOnlySpan<char> filter)
    {
        if (filter.IsEmpty || filter.Contains('\0'))
        {
            return false;
        }

        for (var i = 0; i < filter.Length; i++)
        {
            var startsLevel = i == 0 || filter[i - 1] == '/';
            var isLast = i == filter.Length - 1;
            switch (filter[i])
            {
                case '#' when !startsLevel || !isLast:
                case '+' when !startsLevel || (!isLast && filter[i + 1] != '/'):
                    return false;
            }
        }

        return true;
    }

    /// <summary>Whether it is a topic name: not empty, no wildcard, no null character ([MQTT-3.3.2-2], [MQTT-4.7.3-1], [MQTT-4.7.3-2]).</summary>
    public static bool IsTopicName(ReadOnlySpan<char> topic) => !topic.IsEmpty && topic.IndexOfAny('+', '#', '\0') < 0;

    /// <summary>Whether the filter has a wildcard.</summary>
    public static bool HasWildcard(ReadOnlySpan<char> filter) => filter.IndexOfAny('+', '#') >= 0;

    /// <summary>A level of a topic name, counted from 0; empty when it has no such level.</summary>
    public static ReadOnlySpan<char> LevelOf(ReadOnlySpan<char> topic, int level)
    {
        for (; ; level--)
        {
            var found = NextLevel(ref topic, out var ends);
            if (level == 0 || ends)
            {
                return level == 0 ? found : [];
            }
        }
    }

    /// <summary>Whether a topic name matches a filter ([MQTT-4.7.2-1] for topics that start with <c>$</c>).</summary>
    public static bool Matches(ReadOnlySpan<char> filter, ReadOnlySpan<char> topic) => Overlaps(filter, topic);

    /// <summary>Whether some topic name matches both filters.</summary>
    public static bool Overlaps(ReadOnlySpan<char> first, ReadOnlySpan<char> second)
    {
        if ((first[0] == '$' && second[0] is '+' or '#') || (second[0] == '$' && first[0] is '+' or '#'))
        {
            return false;
        }

        while (true)
        {
            var firstLevel = NextLevel(ref first, out var firstEnds);
            var secondLevel = NextLevel(ref second, out var secondEnds);
            if (firstLevel is "#" || secondLevel is "#")
            {
                return true;
            }

            if (firstLevel is not "+" && secondLevel is not "+" && !firstLevel.SequenceEqual(secondLevel))
            {
                return false;
            }

            if (firstEnds && secondEnds)
            {
                return true;
            }

            // "sport/#" matches "sport" too: the parent of a multi-level wildcard (4.7.1.2).
            if (firstEnds || secondEnds)
            {
                return (firstEnds ? second : first) is "#";
            }
        }
    }

    private static ReadOnlySpan<char> NextLevel(scoped ref ReadOnlySpan<char> rest, out bool ends)
    {
        var slash = rest.IndexOf('/');
        ends = slash < 0;
        var level = ends ? rest : rest[..slash];
        rest = ends ? [] : rest[(slash + 1)..];
        return level;
    }
}
