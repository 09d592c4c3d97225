using OrleansMqtt.TestKit;

namespace OrleansMqtt.Foreign.Tests;

/// <summary>MQTT.js, over TCP and over WebSocket. Each script of <c>clients</c> checks what it sees and ends with 0, or tells what is wrong.</summary>
public sealed class MqttJsTests(ForeignServer server)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Theory, InlineData("mqtt"), InlineData("ws")]
    public Task It_gets_retained_messages_as_their_Retain_Handling_says_until_they_are_removed(string scheme) => RunAsync("retained", scheme);

    [Theory, InlineData("mqtt"), InlineData("ws")]
    public Task It_shares_subscriptions(string scheme) => RunAsync("shared", scheme);

    [Theory, InlineData("mqtt"), InlineData("ws")]
    public Task Its_will_is_published_with_its_properties_when_the_connection_is_lost_and_not_when_it_ends(string scheme) => RunAsync("will", scheme);

    [Theory, InlineData("mqtt"), InlineData("ws")]
    public Task It_sends_and_receives_topic_aliases(string scheme) => RunAsync("alias", scheme);

    [Theory, InlineData("mqtt"), InlineData("ws")]
    public Task It_asks_and_answers_by_response_topic_and_correlation_data(string scheme) => RunAsync("request", scheme);

    [Theory, InlineData("mqtt"), InlineData("ws")]
    public Task Its_messages_keep_user_properties_and_subscription_identifiers(string scheme) => RunAsync("properties", scheme);

    [Theory, InlineData("mqtt"), InlineData("ws")]
    public Task Its_session_gets_what_it_missed_with_every_QoS(string scheme) => RunAsync("session", scheme);

    private async Task RunAsync(string script, string scheme)
    {
        Programs.Require("node");
        var directory = FindClients();
        if (!Directory.Exists(Path.Combine(directory, "node_modules", "mqtt")))
        {
            Assert.Skip("MQTT.js is not installed: npm ci --prefix tests/Foreign.Tests/clients");
        }

        await using var client = ChildProcess.Start("node", [Path.Combine(directory, $"{script}.mjs"), $"{scheme}://127.0.0.1:{server.Port}{(scheme is "ws" ? "/mqtt" : "")}"]);
        try
        {
            await client.WaitForExitAsync(Limit);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"{script}.mjs does not end:{Environment.NewLine}{string.Join(Environment.NewLine, client.Lines)}");
        }

        Assert.True(client.ExitCode == 0, $"{script}.mjs:{Environment.NewLine}{string.Join(Environment.NewLine, client.Lines)}");
        Assert.Contains("passed", client.Lines);
    }

    private static string FindClients()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "OrleansMqtt.sln")))
        {
            directory = directory.Parent ?? throw new DirectoryNotFoundException($"{AppContext.BaseDirectory} is not inside of the repository.");
        }

        return Path.Combine(directory.FullName, "tests", "Foreign.Tests", "clients");
    }
}
