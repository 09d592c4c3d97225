namespace OrleansMqtt.Silo.Zilla;

/// <summary>Turns the configuration of a Zilla MQTT Kafka proxy into settings of this server.</summary>
internal static class ZillaConverter
{
    private const string ProxyType = "mqtt-kafka";

    /// <param name="yaml">The text of a zilla.yaml.</param>
    /// <param name="binding">The name of the binding of type mqtt-kafka; null takes the first.</param>
    /// <exception cref="ZillaException">There is nothing to convert.</exception>
    public static ConvertedSettings Convert(string yaml, string? binding)
    {
        var root = ZillaNode.Parse(yaml);
        root["name"].Use();
        var bindings = root["bindings"].Entries.ToDictionary(entry => entry.Key, entry => new ZillaBinding(entry.Key, entry.Value), StringComparer.Ordinal);
        var proxy = FindProxy(bindings, binding);
        proxy.IsOnTheWay = true;

        ConvertedSettings settings = new();
        new ZillaListeners(root, bindings, proxy, settings).Convert();
        new ZillaKafka(root, bindings, proxy, settings).Convert();
        new ZillaTopics(proxy, settings).Convert();
        NoteTheRest(root, bindings.Values, settings);
        return settings;
    }

    private static ZillaBinding FindProxy(Dictionary<string, ZillaBinding> bindings, string? name)
    {
        string[] proxies = [.. bindings.Values.Where(binding => binding.Type == ProxyType).Select(binding => binding.Name)];
        if (proxies.Length == 0)
        {
            throw new ZillaException($"There is no binding of type {ProxyType}.");
        }

        return name is null || proxies.Contains(name)
            ? bindings[name ?? proxies[0]]
            : throw new ZillaException($"'{name}' is no binding of type {ProxyType}; there is: {string.Join(", ", proxies)}.");
    }

    private static void NoteTheRest(ZillaNode root, IEnumerable<ZillaBinding> bindings, ConvertedSettings settings)
    {
        foreach (var binding in bindings)
        {
            settings.NotCarriedOver(binding.Node["telemetry"], "metrics are at /metrics, and go to the collector at OTEL_EXPORTER_OTLP_ENDPOINT");
            if (!binding.IsOnTheWay)
            {
                settings.NotCarriedOver(binding.Node, binding.Type == ProxyType
                    ? "a server has one set of topics: convert it with --binding for a server of its own"
                    : $"a binding of type {binding.Type} that MQTT clients do not pass");
            }
        }

        settings.NotCarriedOver(root["telemetry"], "metrics are at /metrics, and go with log lines to the collector at OTEL_EXPORTER_OTLP_ENDPOINT");
        NoteEach(root["guards"], "see Authentication in docs/features.md");
        NoteEach(root["vaults"], "nothing here needs it, or it is named above");
        NoteEach(root["catalogs"], "payloads are bytes, no schema is looked up");
        foreach (var unused in root.Unused())
        {
            settings.NotCarriedOver(unused, "it has no counterpart");
        }

        void NoteEach(ZillaNode node, string reason)
        {
            foreach (var part in node.Entries.SelectMany(entry => entry.Value.Unused()))
            {
                settings.NotCarriedOver(part, reason);
            }
        }
    }
}
