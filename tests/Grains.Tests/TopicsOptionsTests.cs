using Microsoft.Extensions.Configuration;
using Xunit;

namespace OrleansMqtt.Grains.Tests;

/// <summary>The settings of topics and routes: as they are read, and the line for each that is wrong.</summary>
public sealed class TopicsOptionsTests
{
    [Fact]
    public void Routes_are_read_from_the_configuration()
    {
        var options = Read(
            "Clients:0=place/{identity}/#",
            "Routes:0:Filter=a/#", "Routes:0:Topic=first", "Routes:0:DefaultQoS=0", "Routes:0:Partitions=8", "Routes:0:Key={identity}",
            "Routes:1:Publish:0=b/#", "Routes:1:Publish:1=c/+", "Routes:1:Subscribe:0=d", "Routes:1:Topic=second");
        Assert.Equal(["place/{identity}/#"], options.Clients);
        var (first, second) = (options.Routes[0], options.Routes[1]);
        Assert.Equal((8, (byte?)0, "{identity}"), (first.Partitions, first.DefaultQoS, first.Key));
        Assert.Equal([["a/#"], ["a/#"]], new[] { first.PublishFilters(), first.SubscribeFilters() });
        Assert.Equal([["b/#", "c/+"], ["d"]], new[] { second.PublishFilters(), second.SubscribeFilters() });
        Assert.Equal((null, null, "{topic}"), (second.Partitions, second.DefaultQoS, second.Key));
        Assert.Empty(Validate(options));
    }

    [Theory]
    [InlineData("Topics:Routes:0 has no filter: Filter, Publish or Subscribe must name one, such as site/+/telemetry or site/#.", "Routes:0:Topic=t")]
    [InlineData("Topics:Routes:0:Filter is 'a#': it must be an MQTT topic filter, such as site/+/telemetry or site/#.", "Routes:0:Topic=t", "Routes:0:Filter=a#")]
    [InlineData("Topics:Routes:0:Publish:1 is 'a+': it must be an MQTT topic filter, such as site/+/telemetry or site/#.", "Routes:0:Topic=t", "Routes:0:Publish:0=a", "Routes:0:Publish:1=a+")]
    [InlineData("Topics:Routes:0:Subscribe:0 is '#/a': it must be an MQTT topic filter, such as site/+/telemetry or site/#.", "Routes:0:Topic=t", "Routes:0:Subscribe:0=#/a")]
    [InlineData("Topics:Routes:0:Topic is 'a/b': it must be a Kafka topic name, 1 to 249 letters, digits, '.', '_' and '-'.", "Routes:0:Topic=a/b", "Routes:0:Filter=a")]
    [InlineData("Topics:Routes:0:Topic is 'mqtt-retained': it must not be the retained or the sessions topic.", "Routes:0:Topic=mqtt-retained", "Routes:0:Filter=a")]
    [InlineData("Topics:Routes:0:Partitions is 0: it must be 1 to 1000.", "Routes:0:Topic=t", "Routes:0:Filter=a", "Routes:0:Partitions=0")]
    [InlineData("Topics:Routes:0:DefaultQoS is 3: it must be 0, 1 or 2.", "Routes:0:Topic=t", "Routes:0:Filter=a", "Routes:0:DefaultQoS=3")]
    [InlineData("Topics:Routes:0:Key is '{user}': it must be text with {topic}, {client}, {identity}, or {1}, {2}, … for a level of the MQTT topic.", "Routes:0:Topic=t", "Routes:0:Filter=a", "Routes:0:Key={user}")]
    [InlineData("Topics:Routes:0:Key is 'a}': it must be text with {topic}, {client}, {identity}, or {1}, {2}, … for a level of the MQTT topic.", "Routes:0:Topic=t", "Routes:0:Filter=a", "Routes:0:Key=a}")]
    [InlineData("Topics:Routes:0:Key is '{0}': it must be text with {topic}, {client}, {identity}, or {1}, {2}, … for a level of the MQTT topic.", "Routes:0:Topic=t", "Routes:0:Filter=a", "Routes:0:Key={0}")]
    [InlineData("Topics:Routes:0:Key is '{identity}': Topics:Clients must say where MQTT topics hold the {identity}.", "Routes:0:Topic=t", "Routes:0:Filter=a", "Routes:0:Key={identity}")]
    [InlineData("Topics:Routes:1:DefaultQoS is 2: it must be 0, or be left out, as Topics:Routes:0 says that of 't'.", "Routes:0:Topic=t", "Routes:0:Filter=a", "Routes:0:DefaultQoS=0", "Routes:1:Topic=t", "Routes:1:Filter=b", "Routes:1:DefaultQoS=2")]
    [InlineData("Topics:Routes:0:Partitions is 5: it must be 4, or be left out, as 'mqtt-messages' is the messages topic.", "Routes:0:Topic=mqtt-messages", "Routes:0:Filter=a", "Routes:0:Partitions=5")]
    [InlineData("Topics:Clients:0 is 'place/#': it must be an MQTT topic filter with {identity} as one of its levels, such as place/{identity}/#.", "Clients:0=place/#")]
    [InlineData("Topics:Clients:0 is 'x{identity}/#': it must be an MQTT topic filter with {identity} as one of its levels, such as place/{identity}/#.", "Clients:0=x{identity}/#")]
    [InlineData("Topics:Clients:0 is '{identity}/#/a': it must be an MQTT topic filter with {identity} as one of its levels, such as place/{identity}/#.", "Clients:0={identity}/#/a")]
    public void A_wrong_setting_has_its_line(string line, params string[] settings) => Assert.Equal([line], Validate(Read(settings)));

    private static TopicsOptions Read(params string[] settings)
    {
        TopicsOptions options = new();
        new ConfigurationBuilder().AddInMemoryCollection(settings.Select(setting => setting.Split('=', 2)).ToDictionary(pair => pair[0], string? (pair) => pair[1])).Build().Bind(options);
        return options;
    }

    private static IEnumerable<string> Validate(TopicsOptions options) => new TopicsOptionsValidation().Validate(name: null, options).Failures ?? [];
}
