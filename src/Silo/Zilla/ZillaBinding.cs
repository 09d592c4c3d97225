namespace OrleansMqtt.Silo.Zilla;

/// <summary>A binding of a zilla.yaml.</summary>
internal sealed class ZillaBinding(string name, ZillaNode node)
{
    public string Name { get; } = name;

    public ZillaNode Node { get; } = node;

    public string Type { get; } = node["type"].Text ?? "";

    public string Kind { get; } = node["kind"].Text ?? "";

    public ZillaNode Options => Node["options"];

    public IReadOnlyList<ZillaNode> Routes => Node["routes"].Items;

    /// <summary>Whether it is on the way of MQTT clients to Kafka.</summary>
    public bool IsOnTheWay { get; set; }

    /// <summary>The bindings that it leads to: those of its routes, then the one of what no route takes.</summary>
    public IEnumerable<string> Exits => Routes.Select(route => route["exit"].Text).Append(Node["exit"].Text).OfType<string>().Distinct();
}
