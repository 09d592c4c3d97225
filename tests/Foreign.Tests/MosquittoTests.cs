using System.Diagnostics;
using OrleansMqtt.TestKit;

namespace OrleansMqtt.Foreign.Tests;

/// <summary>mosquitto_pub and mosquitto_sub with MQTT 5 and 3.1.1. Topic aliases, properties and requests are in tests/Silo.Tests.</summary>
public sealed class MosquittoTests(ForeignServer server)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Theory, InlineData("mqttv311"), InlineData("mqttv5")]
    public async Task They_store_replace_and_delete_retained_messages(string version)
    {
        Programs.Require("mosquitto_pub", "mosquitto_sub", "stdbuf");
        var topic = NewTopic();
        await PublishAsync(version, "-t", $"{topic}/a", "-r", "-m", "first");
        await PublishAsync(version, "-t", $"{topic}/a", "-r", "-m", "second");
        await PublishAsync(version, "-t", $"{topic}/b", "-r", "-m", "other");
        Assert.Equal([$"message|1|{topic}/a|second", $"message|1|{topic}/b|other"], (await ReceiveAsync(version, 2, "-t", $"{topic}/+")).Order());

        await PublishAsync(version, "-t", $"{topic}/a", "-r", "-n");
        Assert.Equal([$"message|1|{topic}/b|other"], await ReceiveAsync(version, 1, "-t", $"{topic}/+"));

        // -R leaves out what is retained.
        await using var subscriber = await SubscribeAsync(version, 1, "-t", $"{topic}/b", "-R");
        await PublishAsync(version, "-t", $"{topic}/b", "-m", "live");
        Assert.Equal([$"message|0|{topic}/b|live"], await MessagesAsync(subscriber));

        await PublishAsync(version, "-t", $"{topic}/b", "-r", "-n");
        await using var late = await SubscribeAsync(version, 1, "-t", $"{topic}/#");
        await PublishAsync(version, "-t", $"{topic}/end", "-m", "end");
        Assert.Equal([$"message|0|{topic}/end|end"], await MessagesAsync(late));
    }

    [Fact]
    public async Task A_will_is_published_when_its_delay_has_passed_and_at_once_where_the_session_ends_before()
    {
        Programs.Require("mosquitto_pub", "mosquitto_sub", "stdbuf");
        var topic = NewTopic();
        await using var watcher = await SubscribeAsync("mqttv5", 2, "-t", $"{topic}/+");
        await using var delayed = await SubscribeAsync("mqttv5", 1, [.. Will("delayed"), "-c", "-x", "600", "-D", "will", "will-delay-interval", "2"]);
        await using var ended = await SubscribeAsync("mqttv5", 1, [.. Will("ended"), "-D", "will", "will-delay-interval", "600"]);
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(delayed.KillAsync(), ended.KillAsync());
        await watcher.WaitForLineAsync($"message|0|{topic}/ended|bye", Limit);
        await watcher.WaitForLineAsync($"message|0|{topic}/delayed|bye", Limit);
        Assert.InRange(watch.Elapsed, TimeSpan.FromSeconds(1.9), Limit);
        Assert.Equal([$"message|0|{topic}/ended|bye", $"message|0|{topic}/delayed|bye"], await MessagesAsync(watcher));

        string[] Will(string name) => ["-t", $"{topic}/none/{name}", "-i", $"{topic}-{name}", "--will-topic", $"{topic}/{name}", "--will-payload", "bye", "--will-qos", "1"];
    }

    [Theory, InlineData("mqttv311"), InlineData("mqttv5")]
    public async Task They_share_a_subscription(string version)
    {
        const int Count = 300;
        Programs.Require("mosquitto_pub", "mosquitto_sub", "stdbuf");
        var topic = NewTopic();
        List<ChildProcess> members = [];
        try
        {
            for (var i = 0; i < 3; i++)
            {
                members.Add(await SubscribeAsync(version, Count, "-t", $"$share/workers/{topic}/#"));
            }

            await using var all = await SubscribeAsync(version, Count, "-t", $"{topic}/#");
            await using var publisher = ChildProcess.Start(
                "sh", ["-c", $"seq {Count} | exec mosquitto_pub \"$@\" -l", "sh", "-h", "127.0.0.1", "-p", $"{server.Port}", "-V", version, "-q", "1", "-t", $"{topic}/a"]);
            await publisher.WaitForExitAsync(Limit);
            Assert.Equal((0, ""), (publisher.ExitCode, string.Join('\n', publisher.Lines)));
            Assert.Equal(Enumerable.Range(1, Count).Select(i => $"message|0|{topic}/a|{i}"), await MessagesAsync(all));

            using CancellationTokenSource timeout = new(Limit);
            using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(50));
            while (members.Sum(member => Messages(member).Count()) < Count)
            {
                await timer.WaitForNextTickAsync(timeout.Token);
            }

            Assert.Equal(Enumerable.Range(1, Count), members.SelectMany(Messages).Select(line => int.Parse(line.Split('|')[^1], System.Globalization.CultureInfo.InvariantCulture)).Order());
            Assert.All(members, member => Assert.NotEmpty(Messages(member)));
        }
        finally
        {
            foreach (var member in members)
            {
                await member.DisposeAsync();
            }
        }
    }

    private static string NewTopic() => $"m{Guid.NewGuid():N}"[..20];

    private static IEnumerable<string> Messages(ChildProcess subscriber) => subscriber.Lines.Where(line => line.StartsWith("message|", StringComparison.Ordinal));

    private static async Task<IEnumerable<string>> MessagesAsync(ChildProcess subscriber)
    {
        await subscriber.WaitForExitAsync(Limit);
        return Messages(subscriber);
    }

    private async Task PublishAsync(string version, params string[] arguments)
    {
        await using var publisher = ChildProcess.Start("mosquitto_pub", ["-h", "127.0.0.1", "-p", $"{server.Port}", "-V", version, "-q", "1", .. arguments]);
        await publisher.WaitForExitAsync(Limit);
        Assert.Equal((0, ""), (publisher.ExitCode, string.Join('\n', publisher.Lines)));
    }

    /// <summary>The first messages that come.</summary>
    private async Task<IEnumerable<string>> ReceiveAsync(string version, int count, params string[] arguments)
    {
        await using var subscriber = await SubscribeAsync(version, count, arguments);
        return await MessagesAsync(subscriber);
    }

    /// <summary>A subscriber, once it is subscribed, that ends after so many messages.</summary>
    private async Task<ChildProcess> SubscribeAsync(string version, int count, params string[] arguments)
    {
        // -d tells when the subscription holds.
        var subscriber = ChildProcess.Start(
            "stdbuf", ["-oL", "mosquitto_sub", "-h", "127.0.0.1", "-p", $"{server.Port}", "-V", version, "-q", "1", "-d", "-C", $"{count}", "-F", "message|%r|%t|%p", .. arguments]);
        await subscriber.WaitForLineAsync("Subscribed (mid: 1): 1", Limit);
        return subscriber;
    }
}
