using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using OrleansMqtt.TestKit;
using Xunit;

namespace OrleansMqtt.Silo.Tests;

/// <summary>The programs that people have at hand, on both logs.</summary>
public sealed class MosquittoClientTests
{
    private const string Topic = "plant/hall-2/telemetry";
    private const int Count = 10_000;
    private static readonly JsonSerializerOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    [Theory]
    [InlineData("Embedded")]
    [InlineData("Kafka")]
    public async Task Ten_thousand_lines_of_telemetry_by_mosquitto_pub_arrive_in_order_at_two_mosquitto_sub_and_are_on_the_log(string kind)
    {
        Programs.Require("mosquitto_pub", "mosquitto_sub", "stdbuf", kind == "Kafka" ? "kcat" : "mosquitto_pub");
        using var log = await TestLog.CreateAsync(kind);
        await using var server = await MqttServer.StartAsync(log.Settings);
        var lines = Telemetry(new Random(20_260_801));
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllLinesAsync(file, lines);
            await using var first = await SubscribeAsync(server.Port, Topic, "mqttv311");
            await using var second = await SubscribeAsync(server.Port, "plant/+/telemetry", "mqttv5");
            await using var publisher = ChildProcess.Start("sh", ["-c", "exec mosquitto_pub -h 127.0.0.1 -p \"$0\" -t \"$1\" -q 1 -l < \"$2\"", $"{server.Port}", Topic, file]);
            await publisher.WaitForExitAsync(Limit);
            Assert.Equal((0, ""), (publisher.ExitCode, string.Join('\n', publisher.Lines)));

            Assert.Equal(lines, await MessagesAsync(first));
            Assert.Equal(lines, await MessagesAsync(second));
            Assert.Equal(lines.Select(line => $"{Topic}\t{line}"), kind == "Kafka" ? await ReadWithKcatAsync(log) : await ReadAfterEndAsync(server, log));
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static string[] Telemetry(Random random)
    {
        var at = new DateTimeOffset(2026, 8, 1, 6, 0, 0, TimeSpan.Zero);
        var celsius = Enumerable.Range(0, 40).Select(_ => 18 + (random.NextDouble() * 12)).ToArray();
        return [.. Enumerable.Range(0, Count).Select(sequence =>
        {
            at = at.AddMilliseconds(random.Next(1, 250));
            var device = random.Next(celsius.Length);
            celsius[device] += (random.NextDouble() - 0.5) / 4;
            return JsonSerializer.Serialize(new Dictionary<string, object?>
            {
                ["device"] = $"press-{device:D2}",
                ["sequence"] = sequence,
                ["time"] = at.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture),
                ["celsius"] = Math.Round(celsius[device], 2),
                ["bar"] = Math.Round(90 + (random.NextDouble() * 40), 1),
                ["state"] = random.Next(50) == 0 ? "störung: Öldruck" : "running",
                ["battery"] = random.Next(10) == 0 ? null : random.Next(20, 100),
                ["tags"] = random.Next(100) == 0 ? new string('#', random.Next(1, 2_000)) : "",
            }, Json);
        })];
    }

    private static async Task<ChildProcess> SubscribeAsync(int port, string filter, string version)
    {
        // -d tells when the subscription holds.
        var subscriber = ChildProcess.Start(
            "stdbuf", ["-oL", "mosquitto_sub", "-h", "127.0.0.1", "-p", $"{port}", "-t", filter, "-q", "1", "-V", version, "-C", $"{Count}", "-d"]);
        await subscriber.WaitForLineAsync("Subscribed (mid: 1): 1", TestClient.Limit);
        return subscriber;
    }

    private static async Task<IEnumerable<string>> MessagesAsync(ChildProcess subscriber)
    {
        await subscriber.WaitForExitAsync(Limit);
        return subscriber.Lines.Where(line => line.StartsWith('{'));
    }

    private static async Task<IEnumerable<string>> ReadWithKcatAsync(TestLog log)
    {
        await using var kcat = ChildProcess.Start(
            "kcat", ["-C", "-b", log.Settings["Log__Kafka__BootstrapServers"], "-t", log.MessagesTopic, "-o", "beginning", "-e", "-q", "-f", "%k\\t%s\\n"]);
        await kcat.WaitForExitAsync(Limit);
        return kcat.Lines;
    }

    private static async Task<IEnumerable<string>> ReadAfterEndAsync(MqttServer server, TestLog log)
    {
        await server.Process.KillAsync();
        return (await log.ReadAllAsync()).Select(record => $"{Encoding.UTF8.GetString(record.Key!.Value.Span)}\t{Encoding.UTF8.GetString(record.Value!.Value.Span)}");
    }
}
