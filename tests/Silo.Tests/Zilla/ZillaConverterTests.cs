using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;
using OrleansMqtt.Silo.Zilla;
using OrleansMqtt.TestKit;
using Xunit;

namespace OrleansMqtt.Silo.Tests;

/// <summary>A zilla.yaml in, our settings out.</summary>
public sealed class ZillaConverterTests
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Zilla");

    /// <summary>For each: <c>NAME.yaml</c>, the settings <c>NAME.json</c>, and the lines <c>NAME.txt</c>.</summary>
    [Theory]
    [InlineData("plant")]
    [InlineData("fleet")]
    public async Task A_configuration_is_converted_and_what_is_lost_is_told(string name)
    {
        var converted = ZillaConverter.Convert(await File.ReadAllTextAsync(Path.Combine(Folder, $"{name}.yaml")), binding: null);
        Assert.Equal(await File.ReadAllTextAsync(Path.Combine(Folder, $"{name}.json")), converted.ToJson());
        Assert.Equal(await File.ReadAllLinesAsync(Path.Combine(Folder, $"{name}.txt")), converted.Notes);
    }

    [Fact]
    public async Task The_example_of_the_documentation_is_what_the_converter_makes_of_it()
    {
        var text = await File.ReadAllTextAsync(Path.Combine(Folder, "from-zilla.md"));
        var converted = ZillaConverter.Convert(Block("yaml"), binding: null);
        Assert.Equal(Block("json"), converted.ToJson());
        Assert.Equal(Block("text"), string.Concat(converted.Notes.Select(note => $"{note}\n")));

        string Block(string language) => Regex.Match(text, $"```{language}\n(.*?)```", RegexOptions.Singleline).Groups[1].Value;
    }

    [Fact]
    public void Another_proxy_of_the_file_is_converted_by_its_name()
    {
        var converted = ZillaConverter.Convert(File.ReadAllText(Path.Combine(Folder, "fleet.yaml")), "second_mqtt_kafka");
        Assert.Contains("\"Name\": \"test-messages\"", converted.ToJson(), StringComparison.Ordinal);
        Assert.Contains("bindings.second_mqtt_kafka: no tcp server leads to it: the server listens on port 1883", converted.Notes);
    }

    [Theory]
    [InlineData("publish: { qosMax: at_most_once }", "\"MaximumQoS\": 0", null)]
    [InlineData("publish: { qosMax: exactly_once }", "\"MaximumQoS\": 2", null)]
    [InlineData("publish: { qosMax: 3 }", null, "bindings.m.options.publish.qosMax: not carried over: it is none of at_most_once, at_least_once and exactly_once")]
    [InlineData("server: mqtt.example:1883", "\"AdvertisedAddress\": \"mqtt.example:1883\"", null)]
    [InlineData("server: mqtt.example", null, "bindings.m.options.server: not carried over: it must be host:port")]
    [InlineData("server: \"${{env.HOST}}:1883\"", "\"Redirect\": true", "bindings.m.options.server: not known here: give the server Mqtt__AdvertisedAddress=$HOST:1883 in its environment")]
    public void What_the_proxy_tells_clients_is_converted(string options, string? setting, string? note)
    {
        var converted = ZillaConverter.Convert($"bindings:\n  m:\n    type: mqtt-kafka\n    kind: proxy\n    options: {{ {options} }}\n", binding: null);
        Assert.Contains(setting ?? "", converted.ToJson(), StringComparison.Ordinal);
        Assert.Equal(setting is not null, converted.ToJson().Contains("\"Mqtt\"", StringComparison.Ordinal));
        Assert.Contains(converted.Notes, line => note is null || line == note);
    }

    [Theory]
    [InlineData("name: a\nbindings:\n  x:\n    type: http\n", "There is no binding of type mqtt-kafka.")]
    [InlineData("just text", "This is no zilla.yaml: a mapping with 'bindings' is expected.")]
    [InlineData("", "This is no zilla.yaml: a mapping with 'bindings' is expected.")]
    [InlineData("a: &a\n  b: *a\n", "a.b")]
    [InlineData("a: [", "Line 2, column 1")]
    public void What_is_no_configuration_of_an_MQTT_Kafka_proxy_is_told_in_a_line(string yaml, string line) =>
        Assert.StartsWith(line, Assert.Throws<ZillaException>(() => ZillaConverter.Convert(yaml, binding: null)).Message, StringComparison.Ordinal);

    [Fact]
    public async Task The_command_writes_settings_to_standard_output_with_which_the_server_starts_and_routes()
    {
        using var log = await TestLog.CreateAsync("Kafka");
        var yaml = $$"""
            bindings:
              tcp:
                type: tcp
                kind: server
                options: { host: 127.0.0.1, port: 7183 }
                exit: mqtt
              mqtt: { type: mqtt, kind: server, exit: mapping }
              mapping:
                type: mqtt-kafka
                kind: proxy
                options:
                  topics: { sessions: {{log.MessagesTopic}}-s, messages: {{log.MessagesTopic}}, retained: {{log.MessagesTopic}}-r }
                  clients: [ "place/{identity}/#" ]
                routes:
                  - when: [ { publish: [ { topic: place/# } ] }, { subscribe: [ { topic: place/# } ] } ]
                    with: { messages: {{log.MessagesTopic}}-places }
                    exit: kafka
                exit: kafka
              kafka:
                type: kafka
                kind: client
                options: { servers: [ "{{log.Settings["Log__Kafka__BootstrapServers"]}}" ] }
            """;
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, yaml);
            await using var converter = ChildProcess.Start("sh", ["-c", "exec dotnet \"$0\" convert-zilla \"$1\" 2>/dev/null", Path.Combine(AppContext.BaseDirectory, "OrleansMqtt.Silo.dll"), file]);
            await converter.WaitForExitAsync(TestClient.Limit);
            Assert.Equal(0, converter.ExitCode);
            await File.WriteAllLinesAsync(file, converter.Lines);
            var settings = new ConfigurationBuilder().AddJsonFile(file).Build().AsEnumerable().Where(entry => entry.Value is not null)
                .ToDictionary(entry => entry.Key.Replace(":", "__", StringComparison.Ordinal), entry => entry.Value!);
            Assert.Equal(("127.0.0.1", "7183", "Tcp"), (settings["Mqtt__Listeners__0__Address"], settings["Mqtt__Listeners__0__Port"], settings["Mqtt__Listeners__0__Transport"]));

            settings["Mqtt__Listeners__0__Transport"] = "Any";
            await using var server = await MqttServer.StartAsync(settings);
            await using var client = await TestClient.ConnectAsync(server.Port);
            await client.SubscribeAsync("#");
            await client.PublishAsync("place/7/door", "open");
            Assert.Equal("open", TestClient.TextOf(await client.ReceiveAsync()));
            var record = Assert.Single(await log.ReadAllAsync($"{log.MessagesTopic}-places"));
            Assert.Equal(["zilla:filter", "zilla:filter", "zilla:filter"], record.Headers.Select(header => header.Name).Where(name => name == "zilla:filter"));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task The_command_tells_of_a_file_that_it_cannot_read()
    {
        await using var converter = ChildProcess.Start("dotnet", [Path.Combine(AppContext.BaseDirectory, "OrleansMqtt.Silo.dll"), "convert-zilla", "/no/such/zilla.yaml"]);
        await converter.WaitForExitAsync(TestClient.Limit);
        Assert.Equal(1, converter.ExitCode);
        Assert.Contains("/no/such/zilla.yaml", Assert.Single(converter.Lines), StringComparison.Ordinal);
    }
}
