using System.Globalization;
using System.Text.RegularExpressions;

namespace OrleansMqtt.Silo.Zilla;

/// <summary>Converts the MQTT Kafka proxy itself: its topics, the patterns of clients, and its routes.</summary>
internal sealed partial class ZillaTopics(ZillaBinding proxy, ConvertedSettings settings)
{
    public void Convert()
    {
        var options = proxy.Options;
        ConvertNames(options["topics"]);
        ConvertClients(options["clients"]);
        ConvertServer(options["server"]);
        ConvertMaximumQoS(options["publish"]["qosMax"]);
        ConvertRoutes();
        if (proxy.Node["exit"].Text is null)
        {
            settings.Note(proxy.Node, "what no route takes is refused there; here it goes to the messages topic, which every subscription reads");
        }
    }

    private void ConvertNames(ZillaNode topics)
    {
        if (topics["messages"].Text is { } messages)
        {
            settings.Set("Topics:Messages:Name", topics["messages"], messages);
            settings.Note(topics["messages"], "set Topics:Messages:Partitions to the number that the topic has, if that is not 4");
        }

        if (topics["retained"].Text is { } retained)
        {
            settings.Set("Topics:Retained:Name", topics["retained"], retained);
            settings.Note(topics["retained"], "set Topics:Retained:Partitions to the number that the topic has, if that is not 4; its cleanup.policy must be compact");
        }

        if (topics["sessions"].Text is { } sessions)
        {
            settings.Set("Topics:Sessions:Name", topics["sessions"], $"{sessions}-orleansmqtt");
            settings.Note(topics["sessions"], "sessions have another layout: they begin anew, on a topic of their own");
        }

        // Records are as the proxy writes them, for whoever reads its headers.
        settings.Set("Topics:FilterHeaders", true);
    }

    private void ConvertClients(ZillaNode clients)
    {
        var count = 0;
        foreach (var pattern in clients.Items)
        {
            if (pattern.Text is { } text && (ConvertedSettings.IsExpression(text) || text.Split('/').Count(level => level == "{identity}") == 1))
            {
                settings.Set($"Topics:Clients:{count++}", pattern, text);
            }
            else
            {
                settings.NotCarriedOver(pattern, "{identity} must be one level of it");
            }
        }
    }

    /// <summary>Where clients of other instances are sent whose sessions live here.</summary>
    private void ConvertServer(ZillaNode server)
    {
        if (server.Text is not { } address)
        {
            return;
        }

        if (!ConvertedSettings.IsExpression(address) && !(address.LastIndexOf(':') is > 0 and var colon && ushort.TryParse(address.AsSpan(colon + 1), CultureInfo.InvariantCulture, out var port) && port > 0))
        {
            settings.NotCarriedOver(server, "it must be host:port");
            return;
        }

        settings.Set("Mqtt:AdvertisedAddress", server, address);
        settings.Set("Mqtt:Redirect", true);
        settings.Note(server, "clients are sent to other processes of a cluster only: see docs/cluster.md");
    }

    private void ConvertMaximumQoS(ZillaNode maximum)
    {
        int? qos = maximum.Text switch { "at_most_once" => 0, "at_least_once" => 1, "exactly_once" => 2, _ => null };
        if (qos is { } known)
        {
            settings.Set("Mqtt:MaximumQoS", known);
            settings.Note(maximum, "it is the greatest QoS of subscriptions too");
        }
        else
        {
            settings.NotCarriedOver(maximum, "it is none of at_most_once, at_least_once and exactly_once");
        }
    }

    private void ConvertRoutes()
    {
        var count = 0;
        foreach (var route in proxy.Routes)
        {
            var messages = route["with"]["messages"];
            settings.NotCarriedOver(route["guarded"], "whoever connects may use the route");
            if ((messages.Text ?? proxy.Options["topics"]["messages"].Text) is not { } topic)
            {
                settings.NotCarriedOver(route, "it names no topic");
                continue;
            }

            if (topic.Contains("${params.", StringComparison.Ordinal))
            {
                settings.NotCarriedOver(route, "its topic depends on the MQTT topic; topics are known when the server starts: write a route for each, or one with a Key such as {2}");
                continue;
            }

            var publish = Filters(route, "publish");
            var subscribe = Filters(route, "subscribe");
            if (!route["when"].Exists)
            {
                (publish, subscribe) = (["#"], ["#"]);
            }
            else if (publish.Count + subscribe.Count == 0)
            {
                settings.NotCarriedOver(route, "none of its filters has a counterpart");
                continue;
            }

            Write($"Topics:Routes:{count++}", messages, topic, publish, subscribe);
        }
    }

    private void Write(string setting, ZillaNode messages, string topic, List<string> publish, List<string> subscribe)
    {
        if (publish.Count == 1 && publish.SequenceEqual(subscribe))
        {
            settings.Set($"{setting}:Filter", publish[0]);
        }
        else
        {
            for (var i = 0; i < publish.Count; i++)
            {
                settings.Set($"{setting}:Publish:{i}", publish[i]);
            }

            for (var i = 0; i < subscribe.Count; i++)
            {
                settings.Set($"{setting}:Subscribe:{i}", subscribe[i]);
            }
        }

        settings.Set($"{setting}:Topic", messages, topic);
    }

    private List<string> Filters(ZillaNode route, string direction)
    {
        List<string> filters = [];
        foreach (var topic in route["when"].Items.SelectMany(condition => condition[direction].Items).Select(entry => entry["topic"]))
        {
            if (topic.Text is not { } text)
            {
                continue;
            }

            var filter = AsFilter(text);
            if (filter is null || ConvertedSettings.IsExpression(text))
            {
                settings.NotCarriedOver(topic, $"'{text}' is no MQTT topic filter");
            }
            else if (!filters.Contains(filter))
            {
                filters.Add(filter);
            }
        }

        return filters;
    }

    /// <summary>A filter of MQTT; null when there is none. A parameter is any level, and a star at the end is all that follows.</summary>
    private static string? AsFilter(string topic)
    {
        var filter = Parameter().Replace(topic, "+");
        filter = filter == "*" || filter.EndsWith("/*", StringComparison.Ordinal) ? $"{filter[..^1]}#" : filter;
        var levels = filter.Split('/');
        return filter.Length > 0 && levels.Index().All(level => level.Item == "+" || (level.Item is "#" && level.Index == levels.Length - 1) || level.Item.AsSpan().IndexOfAny("+#*") < 0)
            ? filter
            : null;
    }

    [GeneratedRegex(@"(?<=^|/)\{[a-zA-Z_]+\}(?=/|$)")]
    private static partial Regex Parameter();
}
