using System.Text;
using OrleansMqtt.TestKit;
using Xunit;

namespace OrleansMqtt.Silo.Tests;

/// <summary>What the server tells of itself.</summary>
public sealed class DiagnosticsTests
{
    [Theory]
    [InlineData("Embedded", "embedded")]
    [InlineData("Kafka", "kafka")]
    public async Task Metrics_tell_of_a_publish_and_its_delivery_at_each_step_of_its_way(string kind, string logKind)
    {
        using var log = await TestLog.CreateAsync(kind);
        await using var server = await MqttServer.StartAsync(log.Settings);
        await using var client = await TestClient.ConnectAsync(server.Port);
        await client.SubscribeAsync("site/+");
        await client.PublishAsync("site/7", "x");
        await client.ReceiveAsync();

        var topic = $"messaging_destination_name=\"{log.MessagesTopic}\",orleansmqtt_log_kind=\"{logKind}\"";
        (string Name, string Label)[] ones =
        [
            ("mqtt_connections", ""),
            ("mqtt_connections_opened_total", ""),
            ("mqtt_publishes_received_total", "qos=\"1\""),
            ("mqtt_publish_duration_seconds_count", ""),
            ("orleansmqtt_topic_published_total", ""),
            ("orleansmqtt_log_appended_total", topic),
            ("orleansmqtt_log_append_duration_seconds_count", logKind),
            ("orleansmqtt_log_read_total", topic),
            ("orleansmqtt_streams_records_read_total", log.MessagesTopic),
            ("orleansmqtt_router_read_total", ""),
            ("orleansmqtt_router_matched_total", ""),
            ("orleansmqtt_session_active", ""),
            ("orleansmqtt_session_filters", ""),
            ("orleansmqtt_session_delivered_total", ""),
            ("mqtt_publishes_sent_total", "qos=\"1\""),
        ];
        foreach (var (name, label) in ones)
        {
            await Until.MetricAsync(server, name, label, 1);
        }

        Assert.Equal(0, await Until.ReadMetricAsync(server, "mqtt_publishes_received_total", "qos=\"0\""));
        Assert.InRange(await Until.ReadMetricAsync(server, "mqtt_bytes_received_bytes_total"), 20, 400);
        Assert.InRange(await Until.ReadMetricAsync(server, "mqtt_bytes_sent_bytes_total"), 20, 400);
        Assert.Contains("mqtt_publish_duration_seconds_bucket{otel_scope_name=\"OrleansMqtt.Edge\",le=\"0.005\"}", await server.GetAsync("/metrics"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_publish_is_an_activity_at_the_collector()
    {
        using System.Net.HttpListener collector = new();
        var port = TestPorts.Free();
        collector.Prefixes.Add($"http://127.0.0.1:{port}/");
        collector.Start();
        using var log = await TestLog.CreateAsync("Embedded");
        log.Settings["OTEL_EXPORTER_OTLP_ENDPOINT"] = $"http://127.0.0.1:{port}";
        log.Settings["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf";
        log.Settings["OTEL_BSP_SCHEDULE_DELAY"] = "100";
        await using var server = await MqttServer.StartAsync(log.Settings);
        await using var client = await TestClient.ConnectAsync(server.Port);
        await client.PublishAsync("site/7/traced", "x");

        using CancellationTokenSource timeout = new(TestClient.Limit);
        var traces = "";
        while (!traces.Contains("mqtt publish", StringComparison.Ordinal))
        {
            var context = await collector.GetContextAsync().WaitAsync(timeout.Token);
            using StreamReader reader = new(context.Request.InputStream, Encoding.Latin1);
            traces = context.Request.Url!.AbsolutePath == "/v1/traces" ? await reader.ReadToEndAsync(timeout.Token) : "";
            context.Response.Close();
        }

        Assert.Contains("messaging.destination.name", traces, StringComparison.Ordinal);
        Assert.Contains("site/7/traced", traces, StringComparison.Ordinal);
    }
}
