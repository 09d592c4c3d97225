using System.Diagnostics;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;
using OrleansMqtt.TestKit;
using Xunit;

namespace OrleansMqtt.Silo.Tests;

/// <summary>Messages as large as clients may send them, and those that a topic of Kafka does not take.</summary>
public sealed class LargeMessageTests
{
    [Theory]
    [InlineData("Embedded")]
    [InlineData("Kafka")]
    public async Task The_largest_packet_that_the_server_takes_is_stored_and_delivered(string kind)
    {
        using var log = await TestLog.CreateAsync(kind);
        await using var server = await MqttServer.StartAsync(log.Settings);
        await using var client = await TestClient.ConnectAsync(server.Port);
        await client.SubscribeAsync("large/#", MqttQualityOfServiceLevel.ExactlyOnce);

        // 1 MiB with the header: 5 bytes, the topic and its length, the packet identifier and no properties.
        var payload = new byte[1024 * 1024 - 5 - 9 - 2 - 1];
        Random.Shared.NextBytes(payload);
        foreach (var (qos, retain) in new[] { (1, false), (2, false), (1, true), (2, true) })
        {
            Assert.Equal(MqttClientPublishReasonCode.Success, (await PublishAsync(client, "large/1", payload, qos, retain)).ReasonCode);
            var received = await client.ReceiveAsync();
            Assert.True(payload.AsSpan().SequenceEqual(received.Payload.FirstSpan) && received.Payload.IsSingleSegment);
        }
    }

    [Fact]
    public async Task What_a_topic_does_not_take_is_refused_to_an_MQTT_5_client_and_nobody_else_suffers()
    {
        var broker = await KafkaBroker.SharedAsync();
        using var log = TestLog.OnKafka(broker.BootstrapServers);
        using (var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = broker.BootstrapServers }).Build())
        {
            Dictionary<string, string> small = new() { ["max.message.bytes"] = "20000" };
            await admin.CreateTopicsAsync(
            [
                new() { Name = log.MessagesTopic, NumPartitions = 4, ReplicationFactor = 1, Configs = small },
                new() { Name = log.RetainedTopic, NumPartitions = 4, ReplicationFactor = 1, Configs = new(small) { ["cleanup.policy"] = "compact" } },
            ]);
        }

        await using var server = await MqttServer.StartAsync(log.Settings);
        Assert.Contains(server.Process.Lines, line => line.Contains($"Topic {log.MessagesTopic} takes records of 20000 bytes at most", StringComparison.Ordinal));
        await using var client = await TestClient.ConnectAsync(server.Port);
        await client.SubscribeAsync("#", MqttQualityOfServiceLevel.ExactlyOnce);
        await using var older = await TestClient.ConnectAsync(server.Port, version: MqttProtocolVersion.V311);
        foreach (var (qos, retain) in new[] { (1, false), (2, false), (1, true), (2, true) })
        {
            // At QoS 2 this client sends PUBREL all the same, and says that the packet identifier is not known then.
            Assert.Equal(qos == 1 ? MqttClientPublishReasonCode.QuotaExceeded : MqttClientPublishReasonCode.UnspecifiedError, (await PublishAsync(client, "large", new byte[30_000], qos, retain)).ReasonCode);
            var start = Stopwatch.GetTimestamp();
            Assert.Equal(MqttClientPublishReasonCode.Success, (await PublishAsync(client, "small", new byte[10_000], qos, retain)).ReasonCode);
            Assert.Equal("small", (await client.ReceiveAsync()).Topic);

            // A transaction that Kafka refuses would cost the next one five seconds.
            Assert.InRange(Stopwatch.GetElapsedTime(start), TimeSpan.Zero, TimeSpan.FromSeconds(4));
        }

        await Assert.ThrowsAnyAsync<Exception>(() => PublishAsync(older, "large", new byte[30_000], 1, retain: false));
        await older.Disconnected.WaitAsync(TestClient.Limit);
        Assert.Equal(MqttClientPublishReasonCode.Success, (await client.PublishAsync("after", "x")).ReasonCode);
        Assert.Equal("after", (await client.ReceiveAsync()).Topic);
        Assert.DoesNotContain(server.Process.Lines, line => line.Contains("Exception", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Log__Kafka__MaximumRecordBytes", "1000", "Log:Kafka:MaximumRecordBytes is 1000: it must be 65536 to 90000000.")]
    [InlineData("Mqtt__MaximumPacketSize", "3000000", "Mqtt:MaximumPacketSize is 3000000: it must be from 1024 to 2097152. The greatest is Log:Kafka:MaximumRecordBytes.")]
    public async Task Clients_may_not_be_allowed_what_topics_do_not_take(string name, string value, string line)
    {
        // Nobody asks this Kafka.
        using var log = TestLog.OnKafka("127.0.0.1:9");
        log.Settings[name] = value;
        Assert.Equal([line], await RefusedStart.LinesAsync(log));
    }

    private static Task<MqttClientPublishResult> PublishAsync(TestClient client, string topic, byte[] payload, int qos, bool retain) =>
        client.Client.PublishAsync(
            new MqttApplicationMessageBuilder().WithTopic(topic).WithPayload(payload).WithQualityOfServiceLevel((MqttQualityOfServiceLevel)qos).WithRetainFlag(retain).Build())
            .WaitAsync(TestClient.Limit);
}
