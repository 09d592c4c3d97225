using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace OrleansMqtt.Silo.Zilla;

/// <summary>A part of a zilla.yaml, with its path. It remembers what was read of it, so that nothing is passed over in silence.</summary>
internal sealed class ZillaNode
{
    private const int MaximumDepth = 64;
    private readonly Dictionary<string, ZillaNode> _entries = new(StringComparer.Ordinal);
    private readonly List<ZillaNode> _items = [];
    private readonly string? _text;
    private bool _isUsed;

    private ZillaNode(string path, YamlNode? node, int depth)
    {
        Path = path;
        if (depth > MaximumDepth)
        {
            throw new ZillaException($"{path}: more than {MaximumDepth} levels: an alias that contains itself?");
        }

        switch (node)
        {
            case YamlScalarNode scalar:
                // An empty value in plain style is no text.
                _text = scalar.Style == ScalarStyle.Plain && scalar.Value is null or "" or "~" or "null" ? null : scalar.Value;
                break;
            case YamlMappingNode mapping:
                foreach (var (key, value) in mapping.Children)
                {
                    var name = key is YamlScalarNode { Value: { } text } ? text : key.ToString();
                    _entries[name] = new(PathOf(name), value, depth + 1);
                }

                break;
            case YamlSequenceNode sequence:
                foreach (var value in sequence.Children)
                {
                    _items.Add(new($"{path}[{_items.Count}]", value, depth + 1));
                }

                break;
        }
    }

    /// <summary>Where it is in the document, such as <c>bindings.mqtt0.options</c>.</summary>
    public string Path { get; }

    /// <summary>Whether it holds anything.</summary>
    public bool Exists => _text is not null || _entries.Count > 0 || _items.Count > 0;

    /// <summary>Its text; null when it has none.</summary>
    public string? Text
    {
        get
        {
            _isUsed = true;
            return _text;
        }
    }

    /// <summary>Its items; what is no list counts as a list of it alone.</summary>
    public IReadOnlyList<ZillaNode> Items => _items.Count > 0 || !Exists ? _items : [this];

    /// <summary>Its entries, in order.</summary>
    public IEnumerable<KeyValuePair<string, ZillaNode>> Entries => _entries;

    /// <summary>An entry; one that does not exist holds nothing.</summary>
    public ZillaNode this[string name] => _entries.GetValueOrDefault(name) ?? new(PathOf(name), node: null, depth: 0);

    /// <summary>Reads a document.</summary>
    /// <exception cref="ZillaException">It is no YAML, or not a mapping.</exception>
    public static ZillaNode Parse(string yaml)
    {
        YamlStream stream = new();
        try
        {
            stream.Load(new StringReader(yaml));
        }
        catch (YamlException exception)
        {
            throw new ZillaException($"Line {exception.Start.Line}, column {exception.Start.Column}: {exception.Message}");
        }

        return stream.Documents is [{ RootNode: YamlMappingNode root }, ..]
            ? new("", root, depth: 0)
            : throw new ZillaException("This is no zilla.yaml: a mapping with 'bindings' is expected.");
    }

    /// <summary>Counts as read, with all that it contains.</summary>
    public void Use()
    {
        _isUsed = true;
        foreach (var child in _entries.Values.Concat(_items))
        {
            child.Use();
        }
    }

    /// <summary>What was not read: the highest parts of which nothing was.</summary>
    public IEnumerable<ZillaNode> Unused()
    {
        if (!Exists)
        {
            return [];
        }

        return HasUsed() ? _entries.Values.Concat(_items).SelectMany(child => child.Unused()) : [this];
    }

    private string PathOf(string entry) => Path.Length == 0 ? entry : $"{Path}.{entry}";

    private bool HasUsed() => _isUsed || _entries.Values.Concat(_items).Any(child => child.HasUsed());
}
