namespace OrleansMqtt.Grains;

/// <summary>The filter of a shared subscription, <c>$share/{name}/{filter}</c> (MQTT 5, 4.8.2), which is also the name of its group. The edge has checked it.</summary>
internal static class SharedFilter
{
    private const string Prefix = "$share/";

    public static bool IsShared(string filter) => filter.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>The filter that topics are matched with.</summary>
    public static string TopicFilterOf(string shared) => shared[(shared.IndexOf('/', Prefix.Length) + 1)..];
}
