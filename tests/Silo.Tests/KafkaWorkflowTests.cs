using OrleansMqtt.TestKit;
using Xunit;

namespace OrleansMqtt.Silo.Tests;

/// <summary>Requests and responses between MQTT clients and programs that know Kafka only: with mosquitto's clients and kcat.</summary>
public sealed class KafkaWorkflowTests
{
    private const string RecordFormat = "%T|%k|%h|%s\\n";

    [Fact]
    public async Task A_Kafka_program_answers_the_request_of_an_MQTT_client()
    {
        Programs.Require("mosquitto_rr", "kcat");
        using var log = await TestLog.CreateAsync("Kafka");
        var answers = RouteAnswers(log);
        await using var server = await MqttServer.StartAsync(log.Settings);
        await using var requests = Consume(log, log.MessagesTopic);
        await using var requester = ChildProcess.Start(
            "mosquitto_rr",
            [
                "-h", "127.0.0.1", "-p", $"{server.Port}", "-V", "mqttv5", "-i", "requester", "-q", "1", "-t", "plant/ask", "-e", "plant/answers/7", "-m", "how hot?",
                "-D", "publish", "correlation-data", "c-42", "-F", "%D|%t|%p",
            ]);

        var request = Parse(await requests.WaitForLineAsync("|plant/ask|", TestClient.Limit));
        Assert.Equal("how hot?", request.Value);
        Assert.Equal((answers, "plant/answers/7", "c-42"), (request.Headers["zilla:reply-to"], request.Headers["zilla:reply-key"], request.Headers["zilla:correlation-id"]));

        await ProduceAsync(
            log, request.Headers["zilla:reply-to"], request.Headers["zilla:reply-key"], "21.5", $"zilla:correlation-id={request.Headers["zilla:correlation-id"]}");
        await requester.WaitForExitAsync(TestClient.Limit);
        Assert.Equal(["c-42|plant/answers/7|21.5"], requester.Lines);
    }

    [Fact]
    public async Task An_MQTT_client_answers_the_request_of_a_Kafka_program()
    {
        Programs.Require("mosquitto_pub", "mosquitto_sub", "stdbuf", "kcat");
        using var log = await TestLog.CreateAsync("Kafka");
        var answers = RouteAnswers(log);
        await using var server = await MqttServer.StartAsync(log.Settings);
        await using var device = ChildProcess.Start(
            "stdbuf",
            ["-oL", "mosquitto_sub", "-h", "127.0.0.1", "-p", $"{server.Port}", "-V", "mqttv5", "-q", "1", "-t", "device/+/command", "-C", "1", "-d", "-F", "request|%t|%R|%D|%C|%p"]);
        await device.WaitForLineAsync("Subscribed (mid: 1): 1", TestClient.Limit);

        await ProduceAsync(
            log, log.MessagesTopic, "device/7/command", "restart",
            $"zilla:reply-to={answers}", "zilla:reply-key=plant/answers/restart", "zilla:correlation-id=k-1", "zilla:content-type=text/plain");
        var request = (await device.WaitForLineAsync("request|", TestClient.Limit)).Split('|');
        Assert.Equal(["request", "device/7/command", "plant/answers/restart", "k-1", "text/plain", "restart"], request);

        await using var replies = Consume(log, answers);
        await using var responder = ChildProcess.Start(
            "mosquitto_pub",
            ["-h", "127.0.0.1", "-p", $"{server.Port}", "-V", "mqttv5", "-q", "1", "-t", request[2], "-m", "done", "-D", "publish", "correlation-data", request[3]]);
        var reply = Parse(await replies.WaitForLineAsync("|plant/answers/restart|", TestClient.Limit));
        Assert.Equal(("done", "k-1"), (reply.Value, reply.Headers["zilla:correlation-id"]));
    }

    /// <summary>Responses go to a topic of the log of their own, which is returned.</summary>
    private static string RouteAnswers(TestLog log)
    {
        var topic = $"{log.MessagesTopic}-answers";
        log.Settings["Topics__Routes__0__Filter"] = "plant/answers/#";
        log.Settings["Topics__Routes__0__Topic"] = topic;
        return topic;
    }

    private static ChildProcess Consume(TestLog log, string topic) =>
        ChildProcess.Start("kcat", ["-C", "-b", log.Settings["Log__Kafka__BootstrapServers"], "-t", topic, "-o", "beginning", "-u", "-q", "-f", RecordFormat]);

    private static async Task ProduceAsync(TestLog log, string topic, string key, string value, params string[] headers)
    {
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, value);
            await using var kcat = ChildProcess.Start(
                "kcat", ["-P", "-b", log.Settings["Log__Kafka__BootstrapServers"], "-t", topic, "-k", key, .. headers.SelectMany(header => new[] { "-H", header }), file]);
            await kcat.WaitForExitAsync(TestClient.Limit);
            Assert.Equal((0, ""), (kcat.ExitCode, string.Join('\n', kcat.Lines)));
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static (string Value, Dictionary<string, string> Headers) Parse(string line)
    {
        var parts = line.Split('|');
        return (parts[3], parts[2].Split(',').Select(header => header.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1]));
    }
}
