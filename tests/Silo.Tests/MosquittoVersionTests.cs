using OrleansMqtt.TestKit;
using Xunit;

namespace OrleansMqtt.Silo.Tests;

/// <summary>What MQTT 5 has beyond 3.1.1, and MQTT 3.1, with mosquitto's clients.</summary>
public sealed class MosquittoVersionTests
{
    [Fact]
    public async Task Topic_aliases_subscription_identifiers_and_properties_pass_between_MQTT_5_clients()
    {
        Programs.Require("mosquitto_pub", "mosquitto_sub", "stdbuf");
        using var log = await TestLog.CreateAsync("Embedded");
        await using var server = await MqttServer.StartAsync(log.Settings);
        await using var subscriber = Subscribe(
            server, "mqttv5", "-t", "plant/hall-2/telemetry", "-C", "3", "-F", "message|%S|%t|%C|%D|%F|%P|%p",
            "-D", "subscribe", "subscription-identifier", "300");
        await subscriber.WaitForLineAsync("Subscribed (mid: 1): 1", TestClient.Limit);
        await PublishAsync(
            server, "mqttv5", 3, "-t", "plant/hall-2/telemetry", "-D", "publish", "topic-alias", "5", "-D", "publish", "content-type", "text/plain",
            "-D", "publish", "correlation-data", "c", "-D", "publish", "payload-format-indicator", "1", "-D", "publish", "user-property", "unit", "C",
            "-D", "publish", "user-property", "hall", "2");
        await subscriber.WaitForExitAsync(TestClient.Limit);
        Assert.Equal(
            Enumerable.Range(1, 3).Select(i => $"message|300|plant/hall-2/telemetry|text/plain|c|1|unit:C hall:2|{i}"),
            subscriber.Lines.Where(line => line.StartsWith("message|", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task An_MQTT_5_client_asks_and_another_answers()
    {
        Programs.Require("mosquitto_rr", "mosquitto_pub", "mosquitto_sub", "stdbuf");
        using var log = await TestLog.CreateAsync("Embedded");
        log.Settings["Mqtt__ResponseTopicPrefix"] = "answers/{clientId}/";
        await using var server = await MqttServer.StartAsync(log.Settings);
        await using var responder = Subscribe(server, "mqttv5", "-t", "ask", "-C", "1", "-F", "request|%R|%D|%p");
        await responder.WaitForLineAsync("Subscribed (mid: 1): 1", TestClient.Limit);
        await using var requester = ChildProcess.Start(
            "mosquitto_rr",
            [
                "-h", "127.0.0.1", "-p", $"{server.Port}", "-V", "mqttv5", "-i", "me", "-q", "2", "-t", "ask", "-e", "answers/me/1", "-m", "question",
                "-D", "publish", "correlation-data", "c-1", "-F", "%D|%p",
            ]);
        var request = (await responder.WaitForLineAsync("request|", TestClient.Limit)).Split('|');
        Assert.Equal(["request", "answers/me/1", "c-1", "question"], request);
        await PublishAsync(server, "mqttv5", 1, "-t", request[1], "-D", "publish", "correlation-data", request[2]);
        await requester.WaitForExitAsync(TestClient.Limit);
        Assert.Equal(["c-1|1"], requester.Lines);
    }

    [Fact]
    public async Task Clients_of_MQTT_31_are_served_where_it_is_allowed_only()
    {
        Programs.Require("mosquitto_pub", "mosquitto_sub", "stdbuf");
        using var log = await TestLog.CreateAsync("Embedded");
        log.Settings["Mqtt__AllowMqtt31"] = "true";
        await using var server = await MqttServer.StartAsync(log.Settings);
        await using var subscriber = Subscribe(server, "mqttv31", "-t", "old/+", "-C", "2", "-F", "message|%t|%p", "-i", "old-subscriber");
        await subscriber.WaitForLineAsync("Subscribed (mid: 1): 1", TestClient.Limit);
        await PublishAsync(server, "mqttv31", 1, "-t", "old/a", "-i", "old-publisher");
        await PublishAsync(server, "mqttv5", 1, "-t", "old/b");
        await subscriber.WaitForExitAsync(TestClient.Limit);
        Assert.Equal(["message|old/a|1", "message|old/b|1"], subscriber.Lines.Where(line => line.StartsWith("message|", StringComparison.Ordinal)));

        using var otherLog = await TestLog.CreateAsync("Embedded");
        await using var other = await MqttServer.StartAsync(otherLog.Settings);
        await using var refused = ChildProcess.Start("mosquitto_pub", ["-h", "127.0.0.1", "-p", $"{other.Port}", "-V", "mqttv31", "-i", "old", "-t", "t", "-m", "m", "-q", "1"]);
        await refused.WaitForExitAsync(TestClient.Limit);
        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains("unacceptable protocol version", string.Join('\n', refused.Lines), StringComparison.OrdinalIgnoreCase);
    }

    private static ChildProcess Subscribe(MqttServer server, string version, params string[] arguments) => ChildProcess.Start(
        "stdbuf", ["-oL", "mosquitto_sub", "-h", "127.0.0.1", "-p", $"{server.Port}", "-V", version, "-q", "1", "-d", .. arguments]);

    /// <summary>Publishes 1, 2, … by one connection.</summary>
    private static async Task PublishAsync(MqttServer server, string version, int count, params string[] arguments)
    {
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllLinesAsync(file, Enumerable.Range(1, count).Select(i => $"{i}"));
            await using var publisher = ChildProcess.Start(
                "sh", ["-c", "file=$1; shift; exec mosquitto_pub \"$@\" -l < \"$file\"", "sh", file, "-h", "127.0.0.1", "-p", $"{server.Port}", "-V", version, "-q", "1", .. arguments]);
            await publisher.WaitForExitAsync(TestClient.Limit);
            Assert.Equal((0, ""), (publisher.ExitCode, string.Join('\n', publisher.Lines)));
        }
        finally
        {
            File.Delete(file);
        }
    }
}
