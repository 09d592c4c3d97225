using System.Net;
using System.Net.Sockets;
using System.Text;
using Confluent.Kafka;
using MQTTnet;
using OrleansMqtt.TestKit;
using Xunit;

namespace OrleansMqtt.Silo.Tests;

/// <summary>MQTT in, the log, MQTT out: on the real server as a process, on both logs.</summary>
public sealed class MainPathTests
{
    [Theory]
    [InlineData("Embedded")]
    [InlineData("Kafka")]
    public async Task Messages_reach_two_subscribers_in_order_and_are_on_the_log(string kind)
    {
        const int Count = 2_000;
        using var log = await TestLog.CreateAsync(kind);
        await using var server = await MqttServer.StartAsync(log.Settings);
        await using var first = await TestClient.ConnectAsync(server.Port);
        await using var second = await TestClient.ConnectAsync(server.Port);
        await using var publisher = await TestClient.ConnectAsync(server.Port);
        await first.SubscribeAsync("site/+/temperature");
        await second.SubscribeAsync("site/#");
        var expected = Enumerable.Range(0, Count).Select(i => $$"""{"sequence":{{i}},"celsius":21.5}""").ToList();

        foreach (var chunk in expected.Chunk(100))
        {
            await Task.WhenAll(chunk.Select(payload => publisher.PublishAsync("site/7/temperature", payload)));
        }

        Assert.Equal(expected, await first.ReceiveAsync(Count));
        Assert.Equal(expected, await second.ReceiveAsync(Count));
        await server.Process.KillAsync();
        Assert.Equal(expected, (await log.ReadAllAsync()).Select(record => Encoding.UTF8.GetString(record.Value!.Value.Span)));
    }

    [Fact]
    public async Task A_record_of_any_Kafka_producer_with_just_a_key_reaches_a_subscriber()
    {
        using var log = await TestLog.CreateAsync("Kafka");
        await using var server = await MqttServer.StartAsync(log.Settings);
        await using var subscriber = await TestClient.ConnectAsync(server.Port);
        await subscriber.SubscribeAsync("plant/line/1");

        using var producer = new ProducerBuilder<string, string>(new ProducerConfig { BootstrapServers = log.Settings["Log__Kafka__BootstrapServers"] }).Build();
        await producer.ProduceAsync(log.MessagesTopic, new() { Key = "not/mine", Value = "other" });
        await producer.ProduceAsync(log.MessagesTopic, new() { Key = "plant/+/bad", Value = "no topic name" });
        await producer.ProduceAsync(log.MessagesTopic, new() { Key = "plant/line/1", Value = "from outside" });

        var message = await subscriber.ReceiveAsync();
        Assert.Equal(("plant/line/1", "from outside"), (message.Topic, TestClient.TextOf(message)));
        Assert.Equal(MQTTnet.Protocol.MqttQualityOfServiceLevel.AtLeastOnce, message.QualityOfServiceLevel);
    }

    [Fact]
    public async Task A_publish_is_a_record_with_the_headers_of_its_properties()
    {
        using var log = await TestLog.CreateAsync("Kafka");
        await using var server = await MqttServer.StartAsync(log.Settings);
        await using var publisher = await TestClient.ConnectAsync(server.Port, "sensor-1");

        await publisher.Client.PublishAsync(new MqttApplicationMessageBuilder()
            .WithTopic("a/b").WithPayload("x").WithQualityOfServiceLevel(MQTTnet.Protocol.MqttQualityOfServiceLevel.AtLeastOnce)
            .WithContentType("text/plain").WithUserProperty("zilla:qos", "2"u8.ToArray()).WithUserProperty("unit", "C"u8.ToArray()).Build());

        var record = Assert.Single(await log.ReadAllAsync());
        Assert.Equal("a/b", Encoding.UTF8.GetString(record.Key!.Value.Span));
        Assert.Equal(
            ["zilla:qos=1", "zilla:local=sensor-1", "zilla:content-type=text/plain", "zilla:~zilla:qos=2", "unit=C"],
            record.Headers.Select(header => $"{header.Name}={Encoding.UTF8.GetString(header.Value!.Value.Span)}"));
    }

    [Theory]
    [InlineData("Embedded")]
    [InlineData("Kafka")]
    public async Task A_route_sends_its_topics_to_another_topic_of_the_log_and_reads_it(string kind)
    {
        using var log = await TestLog.CreateAsync(kind);
        var routed = $"{log.MessagesTopic}-alarms";
        log.Settings["Topics__Routes__0__Filter"] = "alarm/#";
        log.Settings["Topics__Routes__0__Topic"] = routed;
        await using var server = await MqttServer.StartAsync(log.Settings);
        await using var client = await TestClient.ConnectAsync(server.Port);
        await client.SubscribeAsync("alarm/+");
        await client.PublishAsync("alarm/fire", "routed");
        await client.PublishAsync("other", "not routed");

        Assert.Equal("routed", TestClient.TextOf(await client.ReceiveAsync()));
        await server.Process.KillAsync();
        Assert.Equal("alarm/fire", Encoding.UTF8.GetString(Assert.Single(await log.ReadAllAsync(routed)).Key!.Value.Span));
        Assert.Equal("other", Encoding.UTF8.GetString(Assert.Single(await log.ReadAllAsync()).Key!.Value.Span));
    }

    [Theory]
    [InlineData("Embedded")]
    [InlineData("Kafka")]
    public async Task A_subscription_counts_from_its_SUBACK_and_not_before(string kind)
    {
        using var log = await TestLog.CreateAsync(kind);
        await using var server = await MqttServer.StartAsync(log.Settings);
        await using var client = await TestClient.ConnectAsync(server.Port);
        for (var round = 0; round < 50; round++)
        {
            var topic = $"round/{round}";
            await client.PublishAsync(topic, "before");
            await client.SubscribeAsync(topic);
            await client.PublishAsync(topic, "after");
            Assert.Equal("after", TestClient.TextOf(await client.ReceiveAsync()));
            await client.Client.UnsubscribeAsync(topic);
            await client.PublishAsync(topic, "later");
        }

        await client.SubscribeAsync("end");
        await client.PublishAsync("end", "end");
        Assert.Equal("end", TestClient.TextOf(await client.ReceiveAsync()));
    }

    [Fact]
    public async Task A_later_connection_of_a_client_takes_over()
    {
        using var log = await TestLog.CreateAsync("Embedded");
        await using var server = await MqttServer.StartAsync(log.Settings);
        await using var first = await TestClient.ConnectAsync(server.Port, "same");
        TaskCompletionSource<MqttClientDisconnectReason> gone = new();
        first.Client.DisconnectedAsync += disconnected =>
        {
            gone.TrySetResult(disconnected.Reason);
            return Task.CompletedTask;
        };

        await using var second = await TestClient.ConnectAsync(server.Port, "same");
        Assert.Equal(MqttClientDisconnectReason.SessionTakenOver, await gone.Task.WaitAsync(TestClient.Limit));
        await second.SubscribeAsync("t");
        await second.PublishAsync("t", "x");
        Assert.Equal("x", TestClient.TextOf(await second.ReceiveAsync()));
    }

    [Fact]
    public async Task Health_tells_that_the_server_is_ready_and_the_dashboard_shows_its_grains()
    {
        using var log = await TestLog.CreateAsync("Embedded");
        await using var server = await MqttServer.StartAsync(log.Settings);
        Assert.Equal("200 Healthy", await server.GetAsync("/health/live"));
        Assert.Equal("200 Healthy", await server.GetAsync("/health/ready"));
        Assert.StartsWith("200", await server.GetAsync("/metrics"), StringComparison.Ordinal);
        Assert.StartsWith("200 ", await server.GetAsync("/dashboard/"), StringComparison.Ordinal);
        Assert.StartsWith("200 ", await server.GetAsync("/dashboard/index.min.js"), StringComparison.Ordinal);
        await Until.TrueAsync(
            async () => (await server.GetAsync("/dashboard/DashboardCounters")).Contains("SessionPartitionGrain", StringComparison.Ordinal), () => "The dashboard shows no grains.");
    }

    [Fact]
    public async Task A_client_identifier_and_a_topic_of_white_space_are_as_good_as_any()
    {
        using var log = await TestLog.CreateAsync("Embedded");
        await using var server = await MqttServer.StartAsync(log.Settings);
        await using var client = await TestClient.ConnectAsync(server.Port, " ", sessionExpiry: 60);
        await client.SubscribeAsync("\t");
        await client.PublishAsync("\t", "x");
        Assert.Equal("x", TestClient.TextOf(await client.ReceiveAsync()));
    }

    [Theory]
    [InlineData("Topics__DefaultQoS", "7", "Topics:DefaultQoS is 7: it must be 0, 1 or 2.")]
    [InlineData("Topics__Messages__Name", "a/b", "Topics:Messages:Name is 'a/b': it must be a Kafka topic name, 1 to 249 letters, digits, '.', '_' and '-'.")]
    [InlineData("Http__Port", "99999", "Http:Port is 99999: it must be 0 (a free port) to 65535.")]
    [InlineData("Mqtt__MaximumPacketSize", "1MB", "Mqtt:MaximumPacketSize is '1MB': it must be a whole number.")]
    [InlineData("Mqtt__Listeners__0__Transport", "Udp", "Mqtt:Listeners:0:Transport is 'Udp': it must be Any, Tcp or WebSocket.")]
    [InlineData("Mqtt__RecieveMaximum", "5", "There is no setting 'RecieveMaximum' beside those of Mqtt: docs/configuration.md lists all.")]
    [InlineData("Log__Kind", "Foo", "Log:Kind is 'Foo': it must be Embedded or Kafka.")]
    [InlineData("Topics__Routes__0__Partitions", "four", "Topics:Routes:0:Partitions is 'four': it must be a whole number.")]
    [InlineData("Cluster__SiloPort", "99999", "Cluster:SiloPort is 99999: it must be 0 (a free port) to 65535.")]
    public async Task A_wrong_setting_stops_the_start_with_one_line(string name, string value, string line)
    {
        using var log = await TestLog.CreateAsync("Embedded");
        log.Settings[name] = value;
        Assert.Equal([line], await RefusedStart.LinesAsync(log));
    }

    [Theory]
    [InlineData("Mqtt__Listeners__0__Port", "Mqtt:Listeners:0:Port")]
    [InlineData("Http__Port", "Http:Port")]
    public async Task A_port_that_another_program_has_stops_the_start_with_one_line(string name, string setting)
    {
        using TcpListener other = new(IPAddress.IPv6Any, 0);
        other.Server.DualMode = true;
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;
        using var log = await TestLog.CreateAsync("Embedded");
        log.Settings[name] = $"{port}";
        Assert.Equal([$"{setting} is {port}: another program listens there."], await RefusedStart.LinesAsync(log));
    }

    [Theory]
    [InlineData("create-shema")]
    [InlineData("--help")]
    public async Task A_command_that_there_is_not_starts_no_server(string command)
    {
        using var log = await TestLog.CreateAsync("Embedded");
        var line = Assert.Single(await RefusedStart.LinesAsync(log, command));
        Assert.StartsWith($"There is no command '{command}': there are convert-zilla, hash-password, create-schema.", line, StringComparison.Ordinal);
    }
}
