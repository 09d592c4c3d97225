using System.Text;
using MQTTnet;
using MQTTnet.Protocol;
using OrleansMqtt.Log;
using OrleansMqtt.Log.Kafka;
using OrleansMqtt.TestKit;
using Xunit;

namespace OrleansMqtt.Silo.Tests;

/// <summary>Routes between MQTT topics and topics of the log, on the real server as a process.</summary>
public sealed class RouteTests
{
    [Theory]
    [InlineData("Embedded")]
    [InlineData("Kafka")]
    public async Task A_wildcard_subscription_across_routes_gets_each_message_once_and_none_that_is_for_the_log_alone(string kind)
    {
        const int Count = 50;
        using var log = await TestLog.CreateAsync(kind);
        var topics = AddRoutes(log, "Filter=alarm/#", "Publish:0=site/+/raw", "Filter=site/#", "Filter=alarm/+");
        await using var server = await MqttServer.StartAsync(log.Settings);
        await using var all = await TestClient.ConnectAsync(server.Port);
        await using var overlapping = await TestClient.ConnectAsync(server.Port);
        await using var publisher = await TestClient.ConnectAsync(server.Port);
        await all.SubscribeAsync("#");
        await overlapping.SubscribeAsync("+/1/#");
        string[] names = ["alarm/1", "site/1/raw", "site/1/temp", "other/1"];
        for (var i = 0; i < Count; i++)
        {
            await Task.WhenAll(names.Select(name => publisher.PublishAsync(name, $"{i}")));
        }

        // Each message of a partition comes after all before it, so that these are the last.
        await Task.WhenAll(names.Select(name => publisher.PublishAsync(name, "end")));
        string[] read = ["alarm/1", "site/1/temp", "other/1"];
        var expected = Enumerable.Range(0, Count).Select(i => $"{i}").Append("end").ToList();
        foreach (var subscriber in new[] { all, overlapping })
        {
            var received = await subscriber.ReceiveUntilAsync(messages => messages.Count(message => TestClient.TextOf(message) == "end") == read.Length);
            Assert.Equal(read.Order(), received.Select(message => message.Topic).Distinct().Order());
            foreach (var name in read)
            {
                Assert.Equal(expected, received.Where(message => message.Topic == name).Select(TestClient.TextOf));
            }
        }

        await server.Process.KillAsync();
        var perTopic = new Dictionary<string, string> { [topics[0]] = "alarm/1", [topics[1]] = "site/1/raw", [topics[2]] = "site/1/temp", [log.MessagesTopic] = "other/1" };
        foreach (var (topic, name) in perTopic)
        {
            var records = await log.ReadAllAsync(topic);
            Assert.Equal(expected, records.Select(record => Text(record.Value)));
            Assert.All(records, record => Assert.Equal(name, Text(record.Key)));
        }

        Assert.Empty(await log.ReadAllAsync(topics[3]));
    }

    [Fact]
    public async Task Records_that_kcat_writes_reach_subscribers_by_key_or_header_with_the_QoS_of_the_route_and_only_where_a_route_reads_them()
    {
        Programs.Require("kcat");
        using var log = await TestLog.CreateAsync("Kafka");
        var topics = AddRoutes(log, "Subscribe:0=command/+", "Publish:0=raw/#");
        log.Settings["Topics__Routes__0__DefaultQoS"] = "0";
        log.Settings["Topics__DefaultQoS"] = "2";
        await using var server = await MqttServer.StartAsync(log.Settings);
        await using var all = await TestClient.ConnectAsync(server.Port);
        await using var exact = await TestClient.ConnectAsync(server.Port);
        await all.SubscribeAsync("#", MqttQualityOfServiceLevel.ExactlyOnce);
        await exact.SubscribeAsync("order/1", MqttQualityOfServiceLevel.ExactlyOnce);

        // Partition 0 for all, wherever their keys would go: in this order.
        await ProduceAsync(log, topics[0], "order/1", "not for MQTT");
        await ProduceAsync(log, topics[0], "command/+", "no topic name");
        await ProduceAsync(log, topics[0], "command/7", "by key");
        await ProduceAsync(log, topics[0], "order/1", "by header", "zilla:topic=command/8");
        await ProduceAsync(log, topics[0], "command/7", "with another header", "zilla:topic=order/1");
        await ProduceAsync(log, topics[0], "command/9", "with its own QoS", "zilla:qos=1");
        await ProduceAsync(log, topics[1], "raw/1", "of a topic that nobody reads");
        await ProduceAsync(log, log.MessagesTopic, "order/1", "by the messages topic");

        var received = await all.ReceiveUntilAsync(messages => messages.Count == 4);
        Assert.Equal(
            [("command/7", "by key", 0), ("command/8", "by header", 0), ("command/9", "with its own QoS", 1), ("order/1", "by the messages topic", 2)],
            received.Select(message => (message.Topic, TestClient.TextOf(message), (int)message.QualityOfServiceLevel)).OrderBy(message => message.Topic, StringComparer.Ordinal));
        Assert.Equal("by the messages topic", TestClient.TextOf(await exact.ReceiveAsync()));
        await ProduceAsync(log, log.MessagesTopic, "order/1", "end");
        Assert.Equal(("end", "end"), (TestClient.TextOf(await all.ReceiveAsync()), TestClient.TextOf(await exact.ReceiveAsync())));
    }

    [Theory]
    [InlineData("Embedded")]
    [InlineData("Kafka")]
    public async Task All_messages_of_an_identity_share_the_partition_that_it_decides(string kind)
    {
        using var log = await TestLog.CreateAsync(kind);
        var topics = AddRoutes(log, "Filter=place/+/device/#");
        log.Settings["Topics__Clients__0"] = "place/{identity}/#";
        await using var server = await MqttServer.StartAsync(log.Settings);
        await using var client = await TestClient.ConnectAsync(server.Port);
        await client.SubscribeAsync("place/#");
        string[] names = [.. Enumerable.Range(0, 8).SelectMany(identity => new[] { $"place/{identity}/door", $"place/{identity}/device/1", $"place/{identity}/device/2" })];
        foreach (var qos in Enum.GetValues<MqttQualityOfServiceLevel>())
        {
            await Task.WhenAll(names.Select(name => client.PublishAsync(name, $"{(int)qos}", qos)));
        }

        var received = await client.ReceiveUntilAsync(messages => messages.Count == names.Length * 3);
        Assert.All(names, name => Assert.Equal(["0", "1", "2"], received.Where(message => message.Topic == name).Select(TestClient.TextOf).Order()));

        await server.Process.KillAsync();
        var records = (await log.ReadPartitionsAsync()).Concat(await log.ReadPartitionsAsync(topics[0])).ToList();
        Assert.Equal(names.Length * 3, records.Count);
        Assert.All(records, entry => Assert.Equal(KafkaPartitioner.PartitionOf(Encoding.UTF8.GetBytes(Text(entry.Record.Key).Split('/')[1]), 4), entry.Partition));

        // Without the setting these keys would be on other partitions.
        Assert.Contains(records, entry => KafkaPartitioner.PartitionOf(entry.Record.Key!.Value.Span, 4) != entry.Partition);
    }

    [Theory]
    [InlineData("Embedded")]
    [InlineData("Kafka")]
    public async Task A_key_template_makes_the_keys_and_subscribers_get_the_topics_also_after_a_restart(string kind)
    {
        using var log = await TestLog.CreateAsync(kind);
        var topics = AddRoutes(log, "Filter=place/#", "Filter=chat/#");
        log.Settings["Topics__Clients__0"] = "place/{identity}/#";
        log.Settings["Topics__Routes__0__Key"] = "{identity}/{3}";
        log.Settings["Topics__Routes__1__Key"] = "{client}";
        await using var server = await MqttServer.StartAsync(log.Settings);
        await using var publisher = await TestClient.ConnectAsync(server.Port, "pub-1");
        await using (var subscriber = await TestClient.ConnectAsync(server.Port, "durable", sessionExpiry: uint.MaxValue))
        {
            await subscriber.SubscribeAsync("#");
            await subscriber.Client.DisconnectAsync();
        }

        await publisher.PublishAsync("place/7/door", "one");
        await publisher.PublishAsync("place/7/door", "two", MqttQualityOfServiceLevel.ExactlyOnce);
        await publisher.PublishAsync("chat/room", "three");
        await publisher.Client.PublishAsync(new MqttApplicationMessageBuilder()
            .WithTopic("chat/room").WithPayload("four").WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce).WithUserProperty("zilla:topic", "forged"u8.ToArray()).Build());
        await server.Process.KillAsync();
        await server.StartAgainAsync();
        await using var again = await TestClient.ConnectAsync(server.Port, "durable", sessionExpiry: uint.MaxValue);
        var received = await again.ReceiveUntilAsync(messages => messages.Count == 4);
        Assert.Equal(["one", "two"], received.Where(message => message.Topic == "place/7/door").Select(TestClient.TextOf));
        Assert.Equal(["three", "four"], received.Where(message => message.Topic == "chat/room").Select(TestClient.TextOf));
        var property = Assert.Single(received.Single(message => TestClient.TextOf(message) == "four").UserProperties);
        Assert.Equal(("zilla:topic", "forged"), (property.Name, Encoding.UTF8.GetString(property.ValueBuffer.Span)));

        await server.Process.KillAsync();
        var places = await log.ReadPartitionsAsync(topics[0]);
        Assert.Equal(["7/door", "7/door"], places.Select(entry => Text(entry.Record.Key)));
        Assert.All(places, entry => Assert.Equal(KafkaPartitioner.PartitionOf("7"u8, 4), entry.Partition));
        Assert.All(places, entry => Assert.Contains("zilla:topic=place/7/door", Headers(entry.Record)));
        var chats = await log.ReadPartitionsAsync(topics[1]);
        Assert.Equal(["pub-1", "pub-1"], chats.Select(entry => Text(entry.Record.Key)));
        Assert.All(chats, entry => Assert.Equal(KafkaPartitioner.PartitionOf("pub-1"u8, 4), entry.Partition));
    }

    [Fact]
    public async Task Several_publishers_of_a_topic_each_have_their_key()
    {
        Programs.Require("kcat");
        using var log = await TestLog.CreateAsync("Kafka");
        var topics = AddRoutes(log, "Publish:0=up/#");
        log.Settings["Topics__Routes__0__Key"] = "{client}";
        await using var server = await MqttServer.StartAsync(log.Settings);
        var clients = await Task.WhenAll(Enumerable.Range(0, 4).Select(i => TestClient.ConnectAsync(server.Port, $"device-{i}")));
        for (var round = 0; round < 5; round++)
        {
            await Task.WhenAll(clients.Select((client, i) => client.PublishAsync("up/now", $"{i}.{round}")));
        }

        await using var kcat = ChildProcess.Start(
            "kcat", ["-C", "-b", log.Settings["Log__Kafka__BootstrapServers"], "-t", topics[0], "-o", "beginning", "-e", "-q", "-f", "%k %s %h\\n"]);
        await kcat.WaitForExitAsync(TestClient.Limit);
        for (var i = 0; i < clients.Length; i++)
        {
            var name = $"device-{i}";
            Assert.Equal(
                Enumerable.Range(0, 5).Select(round => $"{name} {i}.{round} zilla:qos=1,zilla:local={name},zilla:topic=up/now"),
                kcat.Lines.Where(line => line.StartsWith(name, StringComparison.Ordinal)));
            await clients[i].DisposeAsync();
        }
    }

    [Theory]
    [InlineData("Topics__Routes__0__Topic", "raw", "Topics:Routes:0 has no filter: Filter, Publish or Subscribe must name one, such as site/+/telemetry or site/#.")]
    [InlineData("Topics__Clients__0", "place/#", "Topics:Clients:0 is 'place/#': it must be an MQTT topic filter with {identity} as one of its levels, such as place/{identity}/#.")]
    public async Task A_wrong_route_stops_the_start_with_one_line(string name, string value, string line)
    {
        using var log = await TestLog.CreateAsync("Embedded");
        log.Settings[name] = value;
        Assert.Equal([line], await RefusedStart.LinesAsync(log));
    }

    /// <summary>Adds routes, each to a topic of its own, and returns these.</summary>
    private static string[] AddRoutes(TestLog log, params string[] filters)
    {
        var topics = filters.Select((_, i) => $"{log.MessagesTopic}-route-{i}").ToArray();
        for (var i = 0; i < filters.Length; i++)
        {
            var (setting, value) = (filters[i].Split('=')[0], filters[i].Split('=')[1]);
            log.Settings[$"Topics__Routes__{i}__{setting.Replace(":", "__", StringComparison.Ordinal)}"] = value;
            log.Settings[$"Topics__Routes__{i}__Topic"] = topics[i];
        }

        return topics;
    }

    private static async Task ProduceAsync(TestLog log, string topic, string key, string value, params string[] headers)
    {
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, value);
            await using var kcat = ChildProcess.Start(
                "kcat", ["-P", "-b", log.Settings["Log__Kafka__BootstrapServers"], "-t", topic, "-p", "0", "-k", key, .. headers.SelectMany(header => new[] { "-H", header }), file]);
            await kcat.WaitForExitAsync(TestClient.Limit);
            Assert.Equal((0, ""), (kcat.ExitCode, string.Join('\n', kcat.Lines)));
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static IEnumerable<string> Headers(StoredRecord record) => record.Headers.Select(header => $"{header.Name}={Text(header.Value)}");

    private static string Text(ReadOnlyMemory<byte>? bytes) => Encoding.UTF8.GetString(bytes.GetValueOrDefault().Span);
}
