using MQTTnet.Protocol;
using OrleansMqtt.TestKit;
using Xunit;

namespace OrleansMqtt.Silo.Tests;

/// <summary>The topic of messages is deleted and made anew: offsets that sessions know mean nothing any more, and they hear what comes on the new one.</summary>
public sealed class TopicMadeAnewTests
{
    private const string Topic = "a/b";
    private const int Before = 20;

    [Fact]
    public async Task While_the_server_runs_all_sessions_go_on_with_the_new_topic()
    {
        const int After = 10;
        using var log = await TestLog.CreateAsync("Kafka");
        await using var server = await MqttServer.StartAsync(log.Settings);
        await using var clean = await TestClient.ConnectAsync(server.Port);
        await clean.SubscribeAsync(Topic);
        await using var early = await TestClient.ConnectAsync(server.Port, "early", sessionExpiry: 3600);
        await early.SubscribeAsync(Topic);
        await PublishAsync(server, "before", Before);
        await using var late = await TestClient.ConnectAsync(server.Port, "late", sessionExpiry: 3600);
        await late.SubscribeAsync(Topic);
        await LeaveAsync(server, "away");
        await PublishAsync(server, "missed", 3);
        await clean.ReceiveAsync(Before + 3);
        await early.ReceiveAsync(Before + 3);
        await late.ReceiveAsync(3);

        await log.MakeMessagesAnewAsync();
        await server.Process.WaitForLineAsync($"Topic '{log.MessagesTopic}' was deleted and made anew", TestClient.Limit);
        await PublishAsync(server, "after", After);

        await using var back = await TestClient.ConnectAsync(server.Port, "away", sessionExpiry: 3600, cleanStart: false);
        Assert.True(back.IsSessionPresent);
        foreach (var client in new[] { clean, early, late, back })
        {
            Assert.Equal(Numbered("after", After), await client.ReceiveAsync(After));
            Assert.False(client.HasReceived || client.Disconnected.IsCompleted);
        }
    }

    [Fact]
    public async Task While_the_server_is_away_sessions_miss_nothing_of_the_new_topic_wherever_it_ends()
    {
        Programs.Require("kcat");
        const int After = 30;
        using var log = await TestLog.CreateAsync("Kafka");
        await using var server = await MqttServer.StartAsync(log.Settings);
        await LeaveAsync(server, "early");
        await PublishAsync(server, "before", Before);
        await LeaveAsync(server, "late");
        await PublishAsync(server, "missed", 3);
        server.Process.Signal("TERM");
        await server.Process.WaitForExitAsync(TestClient.Limit);

        await log.MakeMessagesAnewAsync();
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllLinesAsync(file, Numbered("after", After).Select(text => $"{Topic}:{text}"));
            await using var kcat = ChildProcess.Start("kcat", ["-P", "-b", log.Settings["Log__Kafka__BootstrapServers"], "-t", log.MessagesTopic, "-X", "topic.partitioner=murmur2", "-K", ":", "-l", file]);
            await kcat.WaitForExitAsync(TestClient.Limit);
            Assert.Equal(0, kcat.ExitCode);
        }
        finally
        {
            File.Delete(file);
        }

        await server.StartAgainAsync();
        foreach (var clientId in new[] { "early", "late" })
        {
            await using var client = await TestClient.ConnectAsync(server.Port, clientId, sessionExpiry: 3600, cleanStart: false);
            Assert.True(client.IsSessionPresent);
            Assert.Equal(Numbered("after", After), await client.ReceiveAsync(After));
        }
    }

    [Fact]
    public async Task What_a_client_has_not_acknowledged_of_the_old_topic_keeps_nothing_of_the_new_one_from_being_stored()
    {
        const int After = 6;
        using var log = await TestLog.CreateAsync("Kafka");
        log.Settings["Topics__Sessions__Partitions"] = "1";
        await using var server = await MqttServer.StartAsync(log.Settings);
        await using var holding = await TestClient.ConnectAsync(server.Port, "holding", sessionExpiry: 3600, acknowledges: false);
        await holding.SubscribeAsync(Topic, MqttQualityOfServiceLevel.ExactlyOnce);
        await LeaveAsync(server, "away");
        await PublishAsync(server, "before", 1, MqttQualityOfServiceLevel.ExactlyOnce);
        await holding.ReceiveAsync();

        await log.MakeMessagesAnewAsync();
        await server.Process.WaitForLineAsync("goes on with 1 living connections", TestClient.Limit);
        await PublishAsync(server, "after", After);
        Assert.True((await holding.PublishAsync(Topic, "of its own", MqttQualityOfServiceLevel.ExactlyOnce)).IsSuccess);
        await holding.SubscribeAsync("another");
        await log.WaitForSessionRecordAsync("away\0m");
        await server.Process.KillAsync();
        await server.StartAgainAsync();

        foreach (var clientId in new[] { "away", "holding" })
        {
            await using var client = await TestClient.ConnectAsync(server.Port, clientId, sessionExpiry: 3600, cleanStart: false);
            Assert.True(client.IsSessionPresent);
            Assert.Equal([.. Numbered("after", After), "of its own"], await client.ReceiveAsync(After + 1));
        }
    }

    private static IEnumerable<string> Numbered(string text, int count) => Enumerable.Range(0, count).Select(i => $"{text} {i}");

    private static async Task PublishAsync(MqttServer server, string text, int count, MqttQualityOfServiceLevel qos = MqttQualityOfServiceLevel.AtLeastOnce)
    {
        await using var publisher = await TestClient.ConnectAsync(server.Port);
        foreach (var payload in Numbered(text, count))
        {
            await publisher.PublishAsync(Topic, payload, qos);
        }
    }

    /// <summary>A client subscribes and goes.</summary>
    private static async Task LeaveAsync(MqttServer server, string clientId)
    {
        await using var client = await TestClient.ConnectAsync(server.Port, clientId, sessionExpiry: 3600);
        await client.SubscribeAsync(Topic);
        await client.Client.DisconnectAsync(new(), CancellationToken.None);
    }
}
