using System.Globalization;
using OrleansMqtt.TestKit;
using Xunit;

namespace OrleansMqtt.Silo.Tests;

/// <summary>Workers that share a subscription, as people start them: several mosquitto_sub.</summary>
public sealed class SharedSubscriptionTests
{
    private const int Count = 3_000;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);
    private static readonly IEnumerable<string> Everything = Enumerable.Range(0, Count).Select(i => i.ToString("D5", CultureInfo.InvariantCulture));

    [Theory]
    [InlineData("Embedded")]
    [InlineData("Kafka")]
    public async Task Each_message_arrives_at_one_of_three_workers_and_each_of_them_works(string kind)
    {
        Programs.Require("mosquitto_pub", "mosquitto_sub", "stdbuf");
        using var log = await TestLog.CreateAsync(kind);
        await using var server = await MqttServer.StartAsync(log.Settings);
        await using var first = await WorkAsync(server.Port, "mqttv5");
        await using var second = await WorkAsync(server.Port, "mqttv311");
        await using var third = await WorkAsync(server.Port, "mqttv5");
        ChildProcess[] workers = [first, second, third];
        await PublishAllAsync(server.Port);

        await Until.TrueAsync(() => Task.FromResult(workers.Sum(worker => Work(worker).Count) >= Count), () => $"{workers.Sum(worker => Work(worker).Count)} of {Count} arrived.");
        Assert.Equal(Everything, workers.SelectMany(Work).Order());
        Assert.All(workers, worker => Assert.InRange(Work(worker).Count, Count / 10, Count));
    }

    [Theory]
    [InlineData("Embedded")]
    [InlineData("Kafka")]
    public async Task What_workers_had_not_acknowledged_when_they_were_killed_or_hung_is_done_by_the_others(string kind)
    {
        Programs.Require("mosquitto_pub", "mosquitto_sub", "stdbuf");
        using var log = await TestLog.CreateAsync(kind);
        await using var server = await MqttServer.StartAsync(log.Settings);
        await using var killed = await WorkAsync(server.Port, "mqttv5");
        await using var hung = await WorkAsync(server.Port, "mqttv311", "-i", "hung", "-c");
        await using var left = await WorkAsync(server.Port, "mqttv5");

        // Stopped, it takes what the socket takes, and acknowledges nothing.
        hung.Signal("STOP");
        var publishing = PublishAllAsync(server.Port);
        await Until.TrueAsync(() => Task.FromResult(Work(killed).Count > 20), () => "The worker that is to be killed has no work.");
        await killed.KillAsync();
        await publishing;
        await hung.KillAsync();

        await Until.TrueAsync(() => Task.FromResult(Missing(killed, left) == 0), () => $"{Missing(killed, left)} of {Count} are missing.");
        Assert.Empty(Everything.Except(Work(killed).Concat(Work(left))));
        Assert.True(await Until.ReadMetricAsync(server, "orleansmqtt_shared_given_back_total") > 0);

        static int Missing(params ChildProcess[] workers) => Everything.Except(workers.SelectMany(Work)).Count();
    }

    [Fact]
    public async Task A_group_whose_members_are_all_offline_keeps_as_much_as_its_mailbox_and_no_more()
    {
        const int Queued = 500;
        using var log = await TestLog.CreateAsync("Embedded");
        log.Settings["Sessions__MaximumQueuedSharedMessages"] = $"{Queued}";
        log.Settings["Sessions__Overflow"] = "DropOldest";
        Programs.Require("mosquitto_pub", "mosquitto_sub", "stdbuf");
        await using var server = await MqttServer.StartAsync(log.Settings);
        await using (var before = await WorkAsync(server.Port, "mqttv311", "-i", "worker", "-c"))
        {
            await before.KillAsync();
        }

        // The server has to notice first.
        await Until.MetricAsync(server, "mqtt_connections", "", 0);
        await PublishAllAsync(server.Port);
        await Until.MetricAsync(server, "orleansmqtt_session_dropped_total", "reason=\"mailbox_full\"", Count - Queued);
        await using var after = await WorkAsync(server.Port, "mqttv311", "-i", "worker", "-c");
        await Until.TrueAsync(() => Task.FromResult(Work(after).Count >= Queued), () => $"{Work(after).Count} of {Queued} arrived.");
        Assert.Equal(Everything.Skip(Count - Queued), Work(after));
    }

    private static async Task<ChildProcess> WorkAsync(int port, string version, params string[] more)
    {
        // -d tells when the subscription holds.
        var worker = ChildProcess.Start("stdbuf", ["-oL", "mosquitto_sub", "-h", "127.0.0.1", "-p", $"{port}", "-t", "$share/workers/work/+", "-q", "1", "-V", version, "-d", .. more]);
        await worker.WaitForLineAsync("Subscribed (mid: 1): 1", TestClient.Limit);
        return worker;
    }

    private static List<string> Work(ChildProcess worker) => [.. worker.Lines.Where(line => line.Length == 5 && line.All(char.IsAsciiDigit))];

    private static async Task PublishAllAsync(int port)
    {
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllLinesAsync(file, Everything);
            await using var publisher = ChildProcess.Start("sh", ["-c", "exec mosquitto_pub -h 127.0.0.1 -p \"$0\" -t work/orders -q 1 -l < \"$1\"", $"{port}", file]);
            await publisher.WaitForExitAsync(Limit);
            Assert.Equal((0, ""), (publisher.ExitCode, string.Join('\n', publisher.Lines)));
        }
        finally
        {
            File.Delete(file);
        }
    }
}
