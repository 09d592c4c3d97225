namespace OrleansMqtt.Grains;

/// <summary>Where MQTT topics hold the identity of a client: a topic filter with <c>{identity}</c> as one of its levels.</summary>
internal sealed class ClientPattern(string text)
{
    private const string Identity = "{identity}";
    private readonly string _filter = string.Join('/', text.Split('/').Select(level => level == Identity ? "+" : level));
    private readonly int _level = Array.IndexOf(text.Split('/'), Identity);

    public static bool IsValid(string text)
    {
        var levels = text.Split('/');
        return levels.Count(level => level == Identity) == 1 && TopicFilter.IsValid(string.Join('/', levels.Select(level => level == Identity ? "+" : level)));
    }

    /// <summary>The identity in a topic name; null when the pattern does not match, or the level is empty.</summary>
    public string? IdentityOf(string mqttTopic) =>
        TopicFilter.Matches(_filter, mqttTopic) && TopicFilter.LevelOf(mqttTopic, _level) is { IsEmpty: false } identity ? identity.ToString() : null;
}
