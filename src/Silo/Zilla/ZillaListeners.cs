using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;

namespace OrleansMqtt.Silo.Zilla;

/// <summary>Converts the bindings before the MQTT Kafka proxy: the ports of tcp servers from which a way leads to it, through tls, http and ws, over an mqtt server.</summary>
internal sealed class ZillaListeners(ZillaNode root, Dictionary<string, ZillaBinding> bindings, ZillaBinding proxy, ConvertedSettings settings)
{
    private const int MaximumRange = 256;
    private readonly List<Listener> _listeners = [];

    public void Convert()
    {
        foreach (var server in bindings.Values.Where(binding => binding is { Type: "tcp", Kind: "server" }))
        {
            foreach (var (port, node) in PortsOf(server.Options["port"]).ToList())
            {
                if (ExitOf(server, port) is { } exit && Follow(exit, new(server, port, node), depth: 0))
                {
                    server.IsOnTheWay = true;
                }
            }
        }

        var count = 0;
        foreach (var listener in _listeners)
        {
            if (listener.Tls is not { } tls || HasCertificate(tls, listener.Port))
            {
                Write($"Mqtt:Listeners:{count++}", listener);
            }
        }

        if (_listeners.Count == 0)
        {
            settings.Note(proxy.Node, "no tcp server leads to it: the server listens on port 1883");
        }

        foreach (var binding in bindings.Values.Where(binding => binding.IsOnTheWay))
        {
            NoteLosses(binding);
        }
    }

    private static IEnumerable<(string Port, ZillaNode Node)> PortsOf(ZillaNode node)
    {
        foreach (var item in node.Items)
        {
            var text = item.Text ?? "";
            var ends = text.Split('-');
            if (ends.Length == 2 && int.TryParse(ends[0], CultureInfo.InvariantCulture, out var first) && int.TryParse(ends[1], CultureInfo.InvariantCulture, out var last))
            {
                for (var port = first; port <= last && port < first + MaximumRange; port++)
                {
                    yield return (port.ToString(CultureInfo.InvariantCulture), item);
                }
            }
            else if (text.Length > 0)
            {
                yield return (text, item);
            }
        }
    }

    private static string? ExitOf(ZillaBinding server, string port)
    {
        foreach (var route in server.Routes)
        {
            var ports = route["when"].Items.SelectMany(condition => PortsOf(condition["port"])).Select(found => found.Port).ToList();
            if (ports.Count == 0 || ports.Contains(port))
            {
                return route["exit"].Text;
            }
        }

        return server.Node["exit"].Text;
    }

    /// <returns>Whether a way leads to the proxy.</returns>
    private bool Follow(string name, Listener way, int depth)
    {
        if (depth > bindings.Count || !bindings.TryGetValue(name, out var binding))
        {
            return false;
        }

        var found = false;
        switch (binding.Type)
        {
            case "mqtt":
                found = binding.Exits.Contains(proxy.Name);
                if (found)
                {
                    Add(way);
                }

                break;
            case "tls" or "http" or "ws" or "proxy":
                var next = binding.Type switch
                {
                    "tls" => way with { Tls = binding },
                    "ws" => way with { Transport = "WebSocket" },
                    _ => way,
                };
                foreach (var exit in binding.Exits.ToList())
                {
                    found |= Follow(exit, next, depth + 1);
                }

                break;
        }

        binding.IsOnTheWay |= found;
        return found;
    }

    private void Add(Listener listener)
    {
        var same = _listeners.FindIndex(other => other.Server == listener.Server && other.Port == listener.Port);
        if (same < 0)
        {
            _listeners.Add(listener);
        }
        else if (_listeners[same].Transport != listener.Transport)
        {
            _listeners[same] = _listeners[same] with { Transport = "Any" };
        }
    }

    private void Write(string setting, Listener listener)
    {
        var host = listener.Server.Options["host"];
        if (host.Text is { } address)
        {
            if (ConvertedSettings.IsExpression(address) || IPAddress.TryParse(address, out _))
            {
                settings.Set($"{setting}:Address", host, address);
            }
            else
            {
                settings.Note(host, $"not carried over: '{address}' is a name; the Address of a listener is an IP address, and every address now");
            }
        }

        if (int.TryParse(listener.Port, CultureInfo.InvariantCulture, out var port))
        {
            settings.Set($"{setting}:Port", port);
        }
        else
        {
            settings.Set($"{setting}:Port", listener.PortNode, listener.Port);
        }

        settings.Set($"{setting}:Transport", JsonValue.Create(listener.Transport));
        if (listener.Tls is { } tls)
        {
            WriteCertificate(setting, tls);
        }
    }

    /// <summary>Whether there is a file with a certificate. Without one a port is left out: it must not become one without TLS.</summary>
    private bool HasCertificate(ZillaBinding tls, string port)
    {
        var vault = root["vaults"][tls.Node["vault"].Text ?? ""];
        var keys = vault["options"]["keys"];
        if (vault["type"].Text == "filesystem" && keys["type"].Text is null or "pkcs12" && keys["store"].Text is not null)
        {
            return true;
        }

        settings.Note(tls.Node["vault"], $"not carried over: it holds no PKCS #12 file; add a listener for port {port} to Mqtt:Listeners, with a CertificatePath");
        return false;
    }

    private void WriteCertificate(string setting, ZillaBinding tls)
    {
        var keys = root["vaults"][tls.Node["vault"].Text ?? ""]["options"]["keys"];
        settings.Set($"{setting}:CertificatePath", keys["store"], keys["store"].Text!);
        if (keys["password"].Text is { } password)
        {
            settings.Set($"{setting}:CertificatePassword", keys["password"], password);
        }

        if (tls.Options["keys"].Items is { Count: > 1 })
        {
            settings.NotCarriedOver(tls.Options["keys"], "a port has one certificate, the first of its file");
        }

        tls.Options["keys"].Use();
    }

    private void NoteLosses(ZillaBinding binding)
    {
        var options = binding.Options;
        switch (binding.Type)
        {
            case "tls":
                settings.NotCarriedOver(options["sni"], "a port has one certificate for every name");
                foreach (var name in (string[])["trust", "signers", "mutual"])
                {
                    settings.NotCarriedOver(options[name], "clients are not asked for certificates");
                }

                break;
            case "mqtt":
                foreach (var (_, guard) in options["authorization"].Entries)
                {
                    settings.NotCarriedOver(guard, "see Authentication in docs/features.md");
                }

                string[] versions = [.. options["versions"].Items.Select(version => version.Text).OfType<string>()];
                if (versions is { Length: 1 })
                {
                    settings.Note(options["versions"], "not carried over: MQTT 3.1.1 and 5 are both accepted");
                }

                settings.NotCarriedOver(options["topics"], "payloads are bytes, they are not checked");
                foreach (var route in binding.Routes)
                {
                    settings.NotCarriedOver(route["guarded"], "whoever connects may do it");
                    settings.NotCarriedOver(route["when"], "every client may publish and subscribe to every topic");
                }

                break;
        }
    }

    private sealed record Listener(ZillaBinding Server, string Port, ZillaNode PortNode)
    {
        public string Transport { get; init; } = "Tcp";

        public ZillaBinding? Tls { get; init; }
    }
}
