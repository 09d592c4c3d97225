namespace OrleansMqtt.Grains;

/// <summary>Checks one route: a line for each setting that is wrong, with its value and what is allowed.</summary>
internal static class RouteValidation
{
    public static IEnumerable<string> Validate(TopicsOptions options, int index)
    {
        var route = options.Routes[index];
        var setting = $"Topics:Routes:{index}";
        string?[] failures =
        [
            .. CheckFilters(setting, route),
            TopicsOptionsValidation.CheckTopicName($"{setting}:Topic", route.Topic),
            route.Partitions is { } partitions ? TopicsOptionsValidation.CheckPartitions($"{setting}:Partitions", partitions) : null,
            route.DefaultQoS is { } qos ? TopicsOptionsValidation.CheckQoS($"{setting}:DefaultQoS", qos) : null,
            route.Topic == options.Retained.Name || route.Topic == options.Sessions.Name
                ? $"{setting}:Topic is '{route.Topic}': it must not be the retained or the sessions topic."
                : null,
            CheckKey(setting, route.Key, options),
            CheckSame(options, index, nameof(route.Partitions), options.Messages.Partitions, other => other.Partitions),
            CheckSame(options, index, nameof(route.DefaultQoS), options.DefaultQoS, other => other.DefaultQoS),
        ];
        return failures.OfType<string>();
    }

    private static IEnumerable<string?> CheckFilters(string setting, RouteOptions route)
    {
        if (!route.PublishFilters().Concat(route.SubscribeFilters()).Any())
        {
            yield return $"{setting} has no filter: Filter, Publish or Subscribe must name one, such as site/+/telemetry or site/#.";
        }

        yield return string.IsNullOrEmpty(route.Filter) ? null : CheckFilter($"{setting}:Filter", route.Filter);
        for (var i = 0; i < route.Publish.Count; i++)
        {
            yield return CheckFilter($"{setting}:Publish:{i}", route.Publish[i]);
        }

        for (var i = 0; i < route.Subscribe.Count; i++)
        {
            yield return CheckFilter($"{setting}:Subscribe:{i}", route.Subscribe[i]);
        }
    }

    private static string? CheckFilter(string setting, string filter) =>
        TopicFilter.IsValid(filter) && !filter.StartsWith("$share/", StringComparison.Ordinal) ? null : $"{setting} is '{filter}': it must be an MQTT topic filter, such as site/+/telemetry or site/#.";

    private static string? CheckKey(string setting, string text, TopicsOptions options) => KeyTemplate.TryParse(text) switch
    {
        null => $"{setting}:Key is '{text}': it must be text with {{topic}}, {{client}}, {{identity}}, or {{1}}, {{2}}, … for a level of the MQTT topic.",
        { HasIdentity: true } when options.Clients.Count == 0 => $"{setting}:Key is '{text}': Topics:Clients must say where MQTT topics hold the {{identity}}.",
        _ => null,
    };

    /// <summary>What belongs to the topic of the log cannot be two things: by the routes to it, or by the settings of the messages topic.</summary>
    private static string? CheckSame<T>(TopicsOptions options, int index, string setting, T ofMessages, Func<RouteOptions, T?> value)
        where T : struct
    {
        var route = options.Routes[index];
        if (value(route) is not { } own)
        {
            return null;
        }

        if (route.Topic == options.Messages.Name)
        {
            return own.Equals(ofMessages) ? null : $"Topics:Routes:{index}:{setting} is {own}: it must be {ofMessages}, or be left out, as '{route.Topic}' is the messages topic.";
        }

        for (var i = 0; i < index; i++)
        {
            if (options.Routes[i].Topic == route.Topic && value(options.Routes[i]) is { } other && !own.Equals(other))
            {
                return $"Topics:Routes:{index}:{setting} is {own}: it must be {other}, or be left out, as Topics:Routes:{i} says that of '{route.Topic}'.";
            }
        }

        return null;
    }
}
