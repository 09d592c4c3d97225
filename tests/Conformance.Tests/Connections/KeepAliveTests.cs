using System.Diagnostics;

namespace OrleansMqtt.Conformance.Tests.Connections;

/// <summary>Keep Alive: after one and a half of its time without a packet from the client the connection is closed.</summary>
public sealed class KeepAliveTests(ConformanceServer server) : ConformanceTests(server)
{
    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-3.1.2-24")]
    [Statement(V5, "MQTT-3.1.2-22", "MQTT-3.2.2-22")]
    public async Task A_silent_connection_is_closed(MqttVersion version)
    {
        var watch = Stopwatch.StartNew();
        var client = await ConnectAsync(new Connect(version, NewClientId()) { KeepAlive = 2 });
        var reason = await client.ReceiveCloseAsync();
        Assert.InRange(watch.Elapsed, TimeSpan.FromSeconds(2.9), TimeSpan.FromSeconds(5));
        Assert.Equal(0x8D, reason?.Code ?? 0x8D);
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-3.1.2-24")]
    [Statement(V5, "MQTT-3.1.2-22")]
    public async Task What_the_server_sends_does_not_count(MqttVersion version)
    {
        var topic = NewTopic();
        var client = await SubscribeAsync(new Connect(version, NewClientId()) { KeepAlive = 1 }, topic, 0);
        using CancellationTokenSource closed = new();
        var publishing = Task.Run(async () =>
        {
            using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(300));
            while (!closed.IsCancellationRequested)
            {
                await PublishAsync(topic, 1, "message");
                await timer.WaitForNextTickAsync();
            }
        });
        await client.ReceiveCloseAsync();
        await closed.CancelAsync();
        await publishing;
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-3.1.2-24", "MQTT-3.12.4-1")]
    [Statement(V5, "MQTT-3.1.2-22", "MQTT-3.12.4-1")]
    public async Task Any_packet_of_the_client_keeps_the_connection_and_without_Keep_Alive_none_is_needed(MqttVersion version)
    {
        var topic = NewTopic();
        var pinging = await ConnectAsync(new Connect(version, NewClientId()) { KeepAlive = 1 });
        var publishing = await ConnectAsync(new Connect(version, NewClientId()) { KeepAlive = 1 });
        var acknowledging = await SubscribeAsync(new Connect(version, NewClientId()) { KeepAlive = 1 }, topic, 1);
        var silent = await ConnectAsync(new Connect(version, NewClientId()) { KeepAlive = 0 });
        var passed = PassThreeSecondsAsync();
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(400));
        do
        {
            await pinging.PingAsync();
            await publishing.PublishAsync(new Publish(topic, "message") { QoS = 1 });
            await acknowledging.ReceiveTextAsync();
        }
        while (await timer.WaitForNextTickAsync() && !passed.IsCompleted);

        await passed;
        foreach (var client in new[] { pinging, publishing, acknowledging, silent })
        {
            await client.ExpectNothingAsync();
        }
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Statement(V311, "MQTT-3.1.2-24")]
    [Statement(V5, "MQTT-3.1.2-22")]
    public async Task Bytes_that_never_become_a_packet_do_not_count(MqttVersion version)
    {
        var client = await ConnectAsync(new Connect(version, NewClientId()) { KeepAlive = 2 });
        await client.SendAsync([0x30, 0x7F]);
        var watch = Stopwatch.StartNew();
        var closed = client.ReceiveCloseAsync();
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(300));
        while (!closed.IsCompleted && await timer.WaitForNextTickAsync())
        {
            try
            {
                await client.SendAsync([0]);
            }
            catch (IOException)
            {
                // The server has closed it.
            }
        }

        Assert.Equal(0x8D, (await closed)?.Code ?? 0x8D);
        Assert.InRange(watch.Elapsed, TimeSpan.FromSeconds(2.5), TimeSpan.FromSeconds(6));
    }
}
