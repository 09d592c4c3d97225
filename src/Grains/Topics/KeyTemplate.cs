using System.Globalization;
using System.Text;

namespace OrleansMqtt.Grains;

/// <summary>
/// The key of a route's records: text with placeholders in braces. A placeholder with nothing to stand for (a level that the topic does not have, no identity) is empty.
/// </summary>
internal sealed class KeyTemplate
{
    /// <summary>The template of keys that are the MQTT topic.</summary>
    public const string Topic = "{topic}";

    private readonly Part[] _parts;

    private KeyTemplate(Part[] parts) => _parts = parts;

    private enum Kind
    {
        Text,
        Topic,
        Client,
        Identity,
        Level,
    }

    /// <summary>Whether the key depends on who publishes.</summary>
    public bool HasClient => _parts.Any(part => part.Kind == Kind.Client);

    /// <summary>Whether the key depends on the identity in the topic.</summary>
    public bool HasIdentity => _parts.Any(part => part.Kind == Kind.Identity);

    /// <summary>The template; null when it is empty, or holds a brace that belongs to no placeholder.</summary>
    public static KeyTemplate? TryParse(string text)
    {
        List<Part> parts = [];
        for (var rest = text.AsSpan(); !rest.IsEmpty;)
        {
            var brace = rest.IndexOfAny('{', '}');
            if (brace != 0)
            {
                var literal = brace < 0 ? rest : rest[..brace];
                parts.Add(new(Kind.Text, literal.ToString()));
                rest = rest[literal.Length..];
                continue;
            }

            var end = rest.IndexOf('}');
            if (end < 1 || ParsePlaceholder(rest[1..end]) is not { } placeholder)
            {
                return null;
            }

            parts.Add(placeholder);
            rest = rest[(end + 1)..];
        }

        return parts.Count == 0 ? null : new([.. parts]);
    }

    /// <summary>The key of a message.</summary>
    public string Format(string mqttTopic, string? client, string? identity)
    {
        StringBuilder key = new();
        foreach (var part in _parts)
        {
            _ = part.Kind switch
            {
                Kind.Text => key.Append(part.Literal),
                Kind.Topic => key.Append(mqttTopic),
                Kind.Client => key.Append(client),
                Kind.Identity => key.Append(identity),
                _ => key.Append(TopicFilter.LevelOf(mqttTopic, part.Level)),
            };
        }

        return key.ToString();
    }

    private static Part? ParsePlaceholder(ReadOnlySpan<char> name) => name switch
    {
        "topic" => new(Kind.Topic),
        "client" => new(Kind.Client),
        "identity" => new(Kind.Identity),
        _ => int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var level) && level > 0 ? new(Kind.Level, Level: level - 1) : null,
    };

    private readonly record struct Part(Kind Kind, string? Literal = null, int Level = 0);
}
