using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using MQTTnet;
using MQTTnet.Protocol;
using OrleansMqtt.Log;
using OrleansMqtt.TestKit;
using Xunit;

namespace OrleansMqtt.Silo.Tests;

/// <summary>Retained messages on the real server and on both logs, with the programs that people have at hand.</summary>
public sealed class RetainedTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    [Theory]
    [InlineData("Embedded", "mqttv311")]
    [InlineData("Embedded", "mqttv5")]
    [InlineData("Kafka", "mqttv311")]
    [InlineData("Kafka", "mqttv5")]
    public async Task Mosquitto_pub_retains_replaces_and_removes_what_mosquitto_sub_finds_after_a_restart_too(string kind, string version)
    {
        Programs.Require("mosquitto_pub", "mosquitto_sub");
        using var log = await TestLog.CreateAsync(kind);
        await using var server = await MqttServer.StartAsync(log.Settings);
        foreach (var qos in new[] { 0, 1, 2 })
        {
            // Messages of QoS 0 of two connections have no order: the earlier ones are acknowledged.
            await PublishAsync($"plant/{qos}/state", 1, "-m", "first");
            await PublishAsync($"plant/{qos}/state", qos, "-m", $"läuft {qos}");
            await PublishAsync($"plant/{qos}/removed", 1, "-m", "soon removed");
            await PublishAsync($"plant/{qos}/removed", qos, "-n");
        }

        await PublishAsync("plant/end", 1, "-m", "end");
        string[] expected = ["1 plant/0/state läuft 0", "1 plant/1/state läuft 1", "1 plant/2/state läuft 2", "1 plant/end end"];
        await Until.TrueAsync(async () => (await FindAsync("plant/#", expected.Length)).SequenceEqual(expected), () => "mosquitto_sub finds something else.");
        Assert.Equal(expected[..3], await FindAsync("plant/+/state", 3));
        await server.Process.KillAsync();
        await server.StartAgainAsync();
        Assert.Equal(expected, await FindAsync("#", expected.Length));
        await server.Process.KillAsync();
        var copies = await log.ReadAllAsync(log.RetainedTopic);
        Assert.Equal(expected.Select(line => line.Split(' ', 3)[2]), Newest(copies).Select(record => Encoding.UTF8.GetString(record.Value!.Value.Span)));
        Assert.Equal(3 * 4 + 1, (await log.ReadAllAsync()).Count);

        async Task PublishAsync(string topic, int qos, params string[] what)
        {
            await using var publisher = ChildProcess.Start("mosquitto_pub", ["-h", "127.0.0.1", "-p", $"{server.Port}", "-V", version, "-t", topic, "-q", $"{qos}", "-r", .. what]);
            await publisher.WaitForExitAsync(Limit);
            Assert.Equal((0, ""), (publisher.ExitCode, string.Join('\n', publisher.Lines)));
        }

        async Task<string[]> FindAsync(string filter, int count)
        {
            await using var subscriber = ChildProcess.Start(
                "mosquitto_sub", ["-h", "127.0.0.1", "-p", $"{server.Port}", "-V", version, "-t", filter, "-q", "2", "-F", "%r %t %p", "-C", $"{count}", "-W", "30"]);
            await subscriber.WaitForExitAsync(Limit);
            return [.. subscriber.Lines.Order(StringComparer.Ordinal)];
        }
    }

    [Fact]
    public async Task What_kcat_puts_on_the_retained_topic_counts_by_its_time_and_a_delete_goes_to_all_partitions()
    {
        Programs.Require("kcat");
        using var log = await TestLog.CreateAsync("Kafka");
        await using var server = await MqttServer.StartAsync(log.Settings);
        await using var publisher = await TestClient.ConnectAsync(server.Port);

        // Each of these keys is put on each partition once, the one that it belongs to or not.
        string[] topics = ["kcat/a", "kcat/b", "kcat/c", "kcat/d"];
        for (var i = 0; i < topics.Length; i++)
        {
            await KcatAsync(topics[i], "by kcat", partition: i);
        }

        await UntilFoundAsync("kcat/+", [.. topics.Select(topic => $"{topic} by kcat")]);

        // The server's own is newer, on whichever partition.
        foreach (var topic in topics)
        {
            await RetainAsync(publisher, topic, "by MQTT");
        }

        await UntilFoundAsync("kcat/+", [.. topics.Select(topic => $"{topic} by MQTT")]);

        // kcat's again; and then a delete by MQTT, which has to reach kcat's partition as well.
        for (var i = 0; i < topics.Length; i++)
        {
            await KcatAsync(topics[i], "newer", partition: (i + 1) % 4);
        }

        await UntilFoundAsync("kcat/+", [.. topics.Select(topic => $"{topic} newer")]);
        await RetainAsync(publisher, topics[0], "");
        await RetainAsync(publisher, topics[1], "");
        await UntilFoundAsync("kcat/+", [$"{topics[2]} newer", $"{topics[3]} newer"]);

        // A delete by kcat on any partition removes the message on the others.
        await KcatAsync(topics[2], null, partition: 3);
        await KcatAsync(topics[3], null, partition: 3);
        await UntilFoundAsync("kcat/+", []);
        await Until.TrueAsync(
            async () => !await HasAnyAsync(), () => "A message is left on some partition of the retained topic.");
        await server.Process.KillAsync();
        await server.StartAgainAsync();
        await UntilFoundAsync("kcat/+", []);

        async Task<bool> HasAnyAsync() =>
            (await log.ReadPartitionsAsync(log.RetainedTopic)).GroupBy(entry => entry.Partition).Any(records => Newest(records.Select(entry => entry.Record)).Any());

        async Task KcatAsync(string key, string? value, int partition)
        {
            string[] arguments = ["-P", "-b", log.Settings["Log__Kafka__BootstrapServers"], "-t", log.RetainedTopic, "-p", $"{partition}", "-K", "\t", "-Z", "-c", "1"];
            await using var kcat = ChildProcess.Start("sh", ["-c", "value=\"$1\"; shift; printf '%s\\t%s\\n' \"$0\" \"$value\" | exec kcat \"$@\"", key, value ?? "", .. arguments]);
            await kcat.WaitForExitAsync(Limit);
            Assert.Equal(0, kcat.ExitCode);
        }

        async Task UntilFoundAsync(string filter, string[] expected)
        {
            string[] found = [];
            await Until.TrueAsync(
                async () =>
                {
                    await using var subscriber = await TestClient.ConnectAsync(server.Port);
                    await subscriber.SubscribeAsync(filter);
                    await subscriber.SubscribeAsync("end");
                    await subscriber.PublishAsync("end", "end");
                    List<string> lines = [];
                    while (await subscriber.ReceiveAsync() is { Topic: not "end" } message)
                    {
                        lines.Add($"{message.Topic} {TestClient.TextOf(message)}");
                    }

                    found = [.. lines.Order(StringComparer.Ordinal)];
                    return found.SequenceEqual(expected);
                },
                () => $"Found {string.Join(", ", found)} instead of {string.Join(", ", expected)}.");
        }
    }

    [Theory]
    [InlineData("Embedded")]
    [InlineData("Kafka")]
    public async Task Each_retained_message_acknowledged_before_a_SIGKILL_is_on_both_topics_and_no_other_on_one_alone(string kind)
    {
        using var log = await TestLog.CreateAsync(kind);
        await using var server = await MqttServer.StartAsync(log.Settings);
        ConcurrentBag<string> acknowledged = [];
        var clients = await Task.WhenAll(Enumerable.Range(0, 6).Select(async _ => await TestClient.ConnectAsync(server.Port)));
        var load = clients.Select((client, number) => PublishUntilGone(client, number)).ToArray();
        while (acknowledged.Count < 2_000)
        {
            await Task.WhenAny(load.Append(Task.Delay(20)));
        }

        await server.Process.KillAsync();
        await Task.WhenAll(load).WaitAsync(Limit);
        var messages = Texts(await log.ReadAllAsync());
        var copies = Texts(await log.ReadAllAsync(log.RetainedTopic));
        Assert.Empty(acknowledged.Except(messages));
        Assert.Equal(messages.Order(), copies.Order());

        await server.StartAgainAsync();
        await using var after = await TestClient.ConnectAsync(server.Port);
        await after.SubscribeAsync("load/#");
        var found = await after.ReceiveAsync(messages.Count);
        Assert.Equal(messages.Order(), found.Order());
        foreach (var client in clients)
        {
            await client.DisposeAsync();
        }

        async Task PublishUntilGone(TestClient client, int number)
        {
            try
            {
                for (var i = 0; ; i += 20)
                {
                    await Task.WhenAll(Enumerable.Range(i, 20).Select(async sequence =>
                    {
                        var id = $"{number}-{sequence}";
                        if ((await RetainAsync(client, $"load/{id}", id, sequence % 3 == 0 ? MqttQualityOfServiceLevel.ExactlyOnce : MqttQualityOfServiceLevel.AtLeastOnce)).IsSuccess)
                        {
                            acknowledged.Add(id);
                        }
                    }));
                }
            }
            catch (Exception) when (!client.Client.IsConnected)
            {
                // The server was killed.
            }
        }
    }

    [Theory]
    [InlineData("Embedded", MqttQualityOfServiceLevel.AtMostOnce)]
    [InlineData("Embedded", MqttQualityOfServiceLevel.AtLeastOnce)]
    [InlineData("Embedded", MqttQualityOfServiceLevel.ExactlyOnce)]
    [InlineData("Kafka", MqttQualityOfServiceLevel.AtMostOnce)]
    [InlineData("Kafka", MqttQualityOfServiceLevel.AtLeastOnce)]
    public async Task While_topics_change_a_new_subscription_gets_each_in_order_and_ends_with_the_last(string kind, MqttQualityOfServiceLevel qos)
    {
        const int Topics = 600;
        const int Rounds = 8;
        using var log = await TestLog.CreateAsync(kind);
        await using var server = await MqttServer.StartAsync(log.Settings);
        await using var publisher = await TestClient.ConnectAsync(server.Port);
        await RoundAsync(0);
        var publishing = Task.Run(async () =>
        {
            for (var round = 1; round < Rounds; round++)
            {
                await RoundAsync(round);
            }
        });
        List<TestClient> subscribers = [];
        var watching = new List<Task>();
        for (var i = 0; i < 6; i++)
        {
            var subscriber = await TestClient.ConnectAsync(server.Port);
            subscribers.Add(subscriber);
            await subscriber.SubscribeAsync(i % 2 == 0 ? "order/#" : "order/+/value", qos);
            watching.Add(WatchAsync(subscriber));
        }

        await publishing;
        await Task.WhenAll(watching).WaitAsync(Limit);
        foreach (var subscriber in subscribers)
        {
            await subscriber.DisposeAsync();
        }

        async Task RoundAsync(int round)
        {
            foreach (var chunk in Enumerable.Range(0, Topics).Chunk(50))
            {
                await Task.WhenAll(chunk.Select(topic => RetainAsync(
                    publisher, $"order/{topic}/value", $"{round}", topic % 2 == 0 ? MqttQualityOfServiceLevel.AtLeastOnce : MqttQualityOfServiceLevel.ExactlyOnce)));
            }
        }

        static async Task WatchAsync(TestClient subscriber)
        {
            Dictionary<string, int> last = [];
            while (last.Count < Topics || last.Values.Any(round => round < Rounds - 1))
            {
                var message = await subscriber.ReceiveAsync();
                var round = int.Parse(TestClient.TextOf(message), CultureInfo.InvariantCulture);
                Assert.True(!last.TryGetValue(message.Topic, out var before) || round >= before, $"{message.Topic}: {round} (RETAIN {message.Retain}) after {before}.");
                last[message.Topic] = round;
            }
        }
    }

    [Theory]
    [InlineData("Embedded", 0)]
    [InlineData("Embedded", 1)]
    [InlineData("Kafka", 0)]
    [InlineData("Kafka", 1)]
    public async Task A_client_that_takes_its_time_gets_each_of_many_once(string kind, byte qos)
    {
        const int Count = 4_000;
        using var log = await TestLog.CreateAsync(kind);
        log.Settings["Mqtt__ConnectionOutboundBytes"] = "65536";
        await using var server = await MqttServer.StartAsync(log.Settings);
        await using (var publisher = await TestClient.ConnectAsync(server.Port))
        {
            foreach (var chunk in Enumerable.Range(0, Count).Chunk(200))
            {
                await Task.WhenAll(chunk.Select(i => RetainAsync(publisher, $"many/{i}", new string('x', 1_000), qos == 0 ? MqttQualityOfServiceLevel.AtLeastOnce : (MqttQualityOfServiceLevel)(1 + (i % 2)))));
            }
        }

        await using var slow = await SocketClient.ConnectAsync(server.Port, "slow", receiveBuffer: 32_768);
        await slow.SendSubscribeAsync("many/#", qos);

        // Another one passes it by.
        await using var quick = await TestClient.ConnectAsync(server.Port);
        await quick.SubscribeAsync("many/#", (MqttQualityOfServiceLevel)qos);
        Assert.Equal(Count, (await quick.ReceiveAsync(Count)).Count);
        HashSet<string> topics = [];
        while (topics.Count < Count)
        {
            var (header, body) = await slow.ReadAsync().WaitAsync(Limit);
            if (header >> 4 == 9)
            {
                continue;
            }

            var topicLength = (body[0] << 8) | body[1];
            Assert.Equal(0x31 | (qos << 1), header);
            Assert.True(topics.Add(Encoding.UTF8.GetString(body, 2, topicLength)), "It came twice.");
            if (qos > 0)
            {
                await slow.SendAsync((byte[])[0x40, 2, body[2 + topicLength], body[3 + topicLength]]);
            }
        }

        await slow.PingAsync(Limit);
        Assert.Equal(0, await Until.ReadMetricAsync(server, "orleansmqtt_session_dropped_messages_total"));
    }

    private static Task<MqttClientPublishResult> RetainAsync(TestClient client, string topic, string payload, MqttQualityOfServiceLevel qos = MqttQualityOfServiceLevel.AtLeastOnce) =>
        client.Client.PublishStringAsync(topic, payload, qos, retain: true);

    private static List<string> Texts(IEnumerable<StoredRecord> records) => [.. records.Select(record => Encoding.UTF8.GetString(record.Value!.Value.Span))];

    /// <summary>The newest record of each key that is not deleted, by key.</summary>
    private static IEnumerable<StoredRecord> Newest(IEnumerable<StoredRecord> records) =>
        records.GroupBy(record => Encoding.UTF8.GetString(record.Key!.Value.Span)).Select(ofKey => ofKey.Last()).Where(record => record.Value is not null)
            .OrderBy(record => Encoding.UTF8.GetString(record.Key!.Value.Span), StringComparer.Ordinal);
}
