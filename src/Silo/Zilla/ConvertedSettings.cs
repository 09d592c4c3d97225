using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace OrleansMqtt.Silo.Zilla;

/// <summary>What becomes of a zilla.yaml: settings, and a line for each thing that the operator has to know.</summary>
internal sealed partial class ConvertedSettings
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private readonly JsonObject _root = [];
    private readonly List<string> _notes = [];

    /// <summary>The lines, in order.</summary>
    public IReadOnlyList<string> Notes => _notes;

    public void Set(string setting, JsonNode value)
    {
        var names = setting.Split(':');
        var parent = _root;
        foreach (var name in names[..^1])
        {
            parent = (JsonObject)(parent[name] ??= new JsonObject());
        }

        parent[names[^1]] = value;
    }

    /// <summary>Sets what a part of the zilla.yaml says; what Zilla takes from elsewhere when it starts, such as the environment, our server takes from its environment.</summary>
    public void Set(string setting, ZillaNode origin, string value)
    {
        if (IsExpression(value))
        {
            Note(origin, $"not known here: give the server {setting.Replace(":", "__", StringComparison.Ordinal)}={FromEnvironment().Replace(value, "$$$1")} in its environment");
        }
        else
        {
            Set(setting, JsonValue.Create(value));
        }
    }

    /// <summary>Whether a value is known when Zilla starts only.</summary>
    public static bool IsExpression(string value) => value.Contains("${{", StringComparison.Ordinal);

    /// <summary>Tells something of a part, once.</summary>
    public void Note(ZillaNode about, string text)
    {
        var line = $"{about.Path}: {text}";
        if (!_notes.Contains(line))
        {
            _notes.Add(line);
        }
    }

    /// <summary>Tells that something has no counterpart, and counts it as read; nothing when it does not exist.</summary>
    public void NotCarriedOver(ZillaNode node, string reason)
    {
        if (node.Exists)
        {
            node.Use();
            Note(node, $"not carried over: {reason}");
        }
    }

    /// <summary>Tells that something needs no counterpart, and counts it as read; nothing when it does not exist.</summary>
    public void NotNeeded(ZillaNode node, string reason)
    {
        if (node.Exists)
        {
            node.Use();
            Note(node, $"not needed: {reason}");
        }
    }

    public string ToJson() => ((JsonObject)WithLists(_root)).ToJsonString(Indented).ReplaceLineEndings("\n") + "\n";

    /// <summary>Objects whose names are the numbers from 0 on become lists; with a gap (a value that is not known here) they stay, which configuration reads as well.</summary>
    private static JsonNode WithLists(JsonNode node)
    {
        if (node is not JsonObject source)
        {
            return node.DeepClone();
        }

        if (source.Count > 0 && source.Select((entry, index) => entry.Key == index.ToString(CultureInfo.InvariantCulture)).All(isNext => isNext))
        {
            return new JsonArray([.. source.Select(entry => WithLists(entry.Value!))]);
        }

        JsonObject result = [];
        foreach (var (name, value) in source)
        {
            result[name] = WithLists(value!);
        }

        return result;
    }

    [GeneratedRegex(@"\$\{\{\s*env\.(\w+)\s*\}\}")]
    private static partial Regex FromEnvironment();
}
