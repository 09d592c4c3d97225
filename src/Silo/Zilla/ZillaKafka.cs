namespace OrleansMqtt.Silo.Zilla;

/// <summary>Converts the bindings behind the MQTT Kafka proxy: caches, which are not needed here, the Kafka client, and what leads from it to the brokers.</summary>
internal sealed class ZillaKafka(ZillaNode root, Dictionary<string, ZillaBinding> bindings, ZillaBinding proxy, ConvertedSettings settings)
{
    private const string BootstrapServers = "Log:Kafka:BootstrapServers";
    private const string Client = "Log:Kafka:Client";

    public void Convert()
    {
        var behind = Behind(proxy);
        foreach (var binding in behind)
        {
            binding.IsOnTheWay = true;
        }

        foreach (var cache in behind.Where(binding => binding is { Type: "kafka", Kind: "cache_client" or "cache_server" }))
        {
            settings.NotNeeded(cache.Options["bootstrap"], "subscribers are served from the topics");
            settings.NotCarriedOver(cache.Options["topics"], "subscriptions count from their SUBACK on, and payloads are bytes");
        }

        var clients = behind.Where(binding => binding is { Type: "kafka", Kind: "client" }).ToList();
        if (clients.Count == 0)
        {
            settings.Note(proxy.Node, $"no kafka client is behind it: set {BootstrapServers}, or messages live in the embedded log");
            return;
        }

        foreach (var other in clients[1..])
        {
            settings.NotCarriedOver(other.Options, $"all topics are on one Kafka, that of bindings.{clients[0].Name}");
        }

        Convert(clients[0], Behind(clients[0]));
    }

    private void Convert(ZillaBinding client, List<ZillaBinding> behind)
    {
        ConvertServers(client, behind.Find(binding => binding is { Type: "tcp", Kind: "client" }));
        var tls = behind.Find(binding => binding is { Type: "tls", Kind: "client" });
        var sasl = client.Options["sasl"];
        if (sasl.Exists || tls is not null)
        {
            settings.Set($"{Client}:security.protocol", (sasl.Exists, tls is not null) switch
            {
                (true, true) => "SASL_SSL",
                (true, false) => "SASL_PLAINTEXT",
                _ => "SSL",
            });
        }

        if (sasl.Exists)
        {
            ConvertSasl(sasl);
        }

        if (tls is not null)
        {
            ConvertTls(tls);
        }

        settings.NotCarriedOver(client.Options["topics"], "subscriptions count from their SUBACK on, and payloads are bytes");
    }

    private void ConvertServers(ZillaBinding client, ZillaBinding? tcp)
    {
        var servers = client.Options["servers"];
        string[] addresses = [.. servers.Items.Select(server => server.Text?.Trim()).OfType<string>()];
        if (addresses.Length > 0)
        {
            settings.Set(BootstrapServers, servers, string.Join(',', addresses));
        }
        else if (tcp?.Options["host"].Text is { } host)
        {
            settings.Set(BootstrapServers, tcp.Options["host"], $"{host}:{(tcp.Options["port"].Items is [var port, ..] ? port.Text : "9092")}");
        }
        else
        {
            settings.Note(client.Node, $"no servers: set {BootstrapServers}, or messages live in the embedded log");
        }
    }

    private void ConvertSasl(ZillaNode sasl)
    {
        var mechanism = sasl["mechanism"];
        var name = mechanism.Text ?? "plain";
        if (name is "plain" or "scram-sha-256" or "scram-sha-512")
        {
            settings.Set($"{Client}:sasl.mechanism", name.ToUpperInvariant());
        }
        else if (ConvertedSettings.IsExpression(name))
        {
            settings.Set($"{Client}:sasl.mechanism", mechanism, name);
        }
        else
        {
            settings.NotCarriedOver(mechanism, $"set {Client}:sasl.mechanism to PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512");
        }

        foreach (var part in (string[])["username", "password"])
        {
            if (sasl[part].Text is { } value)
            {
                settings.Set($"{Client}:sasl.{part}", sasl[part], value);
            }
        }
    }

    private void ConvertTls(ZillaBinding tls)
    {
        // Authorities that everybody trusts are trusted anyway, and each broker is asked for by the name that it goes by.
        tls.Options["trustcacerts"].Use();
        tls.Options["sni"].Use();
        var vault = root["vaults"][tls.Node["vault"].Text ?? ""];
        var trust = tls.Options["trust"];
        if (trust.Exists)
        {
            var store = vault["options"]["trust"];
            settings.NotCarriedOver(trust, $"export the certificates of {store["store"].Text ?? "its vault"} as PEM, and set {Client}:ssl.ca.location to that file");
            store.Use();
        }

        var keys = tls.Options["keys"];
        if (!keys.Exists)
        {
            vault["type"].Use();
            return;
        }

        var keyStore = vault["options"]["keys"];
        if (vault["type"].Text != "filesystem" || keyStore["type"].Text is not (null or "pkcs12") || keyStore["store"].Text is not { } path)
        {
            settings.NotCarriedOver(keys, $"set {Client}:ssl.keystore.location to a PKCS #12 file, or ssl.certificate.location and ssl.key.location to PEM files");
            return;
        }

        keys.Use();
        settings.Set($"{Client}:ssl.keystore.location", keyStore["store"], path);
        if (keyStore["password"].Text is { } password)
        {
            settings.Set($"{Client}:ssl.keystore.password", keyStore["password"], password);
        }
    }

    /// <summary>All bindings that a binding leads to, nearest first.</summary>
    private List<ZillaBinding> Behind(ZillaBinding start)
    {
        List<ZillaBinding> found = [];
        Queue<ZillaBinding> next = new([start]);
        while (next.TryDequeue(out var binding))
        {
            foreach (var exit in binding.Exits)
            {
                if (bindings.TryGetValue(exit, out var target) && target != start && !found.Contains(target))
                {
                    found.Add(target);
                    next.Enqueue(target);
                }
            }
        }

        return found;
    }
}
