using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using OrleansMqtt.TestKit;
using Xunit;

namespace OrleansMqtt.Silo.Tests;

/// <summary>Kafka hangs under a flood, and is stopped under a load. <c>ORLEANSMQTT_FAULT_SECONDS</c> tells for how long.</summary>
public sealed class KafkaAwayTests
{
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(
        int.Parse(Environment.GetEnvironmentVariable("ORLEANSMQTT_FAULT_SECONDS") ?? "8", CultureInfo.InvariantCulture));

    private static readonly TimeSpan PingLimit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan RecoveryLimit = TimeSpan.FromMinutes(3);

    [Fact]
    public async Task A_server_that_is_stopped_while_it_waits_for_Kafka_at_its_start_ends_without_a_fault()
    {
        using var log = TestLog.OnKafka("127.0.0.1:1");
        await using var server = ChildProcess.Start(
            "dotnet", [Path.Combine(AppContext.BaseDirectory, "OrleansMqtt.Silo.dll")], new Dictionary<string, string>(log.Settings) { ["Http__Port"] = "0" });
        await server.WaitForLineAsync("Waiting for Kafka at 127.0.0.1:1", TestClient.Limit);
        server.Signal("TERM");
        await server.WaitForExitAsync(TestClient.Limit);
        Assert.Equal(0, server.ExitCode);
        Assert.DoesNotContain(server.Lines, static line => line.Contains("xception", StringComparison.Ordinal));
    }

    [Fact]
    public async Task While_Kafka_hangs_a_flood_fills_no_memory_and_stops_nobody_else_and_afterwards_all_of_it_is_in_order()
    {
        const int Publishers = 10;
        const int ConnectionPublishBytes = 1 << 20;
        await using var kafka = await KafkaBroker.StartOwnAsync();
        using var log = TestLog.OnKafka(kafka.BootstrapServers);
        log.Settings["Mqtt__ConnectionPublishBytes"] = $"{ConnectionPublishBytes}";
        log.Settings["Sessions__MaximumQueuedMessages"] = "1000000";
        log.Settings["Logging__LogLevel__OrleansMqtt.Edge"] = "Debug";
        await using var server = await MqttServer.StartAsync(log.Settings);
        await using var other = await SocketClient.ConnectAsync(server.Port, "other");
        await using var subscriber = await SequenceSubscriber.ConnectAsync(server.Port, "flood/#");
        await using (var warmUp = await SequencePublisher.ConnectAsync(server.Port, "warm-up", 1_000, window: 100))
        {
            await warmUp.RunAsync(2_000, CancellationToken.None).WaitAsync(RecoveryLimit);
        }

        // Their keep alive is short: while the server does not read from them, they are alive all the same.
        var publishers = await Task.WhenAll(Enumerable.Range(0, Publishers)
            .Select(p => SequencePublisher.ConnectAsync(server.Port, $"flood/{p}", 1_000, SequencePublisher.Flood, keepAlive: 4)));
        var memoryBefore = server.Process.ResidentBytes;
        await kafka.PauseAsync();
        using CancellationTokenSource stop = new();
        var floods = publishers.Select(FloodAsync).ToArray();
        var memory = await StayAsync(server, other, floods);

        Assert.StartsWith("200", await server.GetAsync("/health/live"), StringComparison.Ordinal);
        Assert.StartsWith("503", await server.GetAsync("/health/ready"), StringComparison.Ordinal);
        Assert.All(publishers, publisher => Assert.Equal(0, publisher.Acknowledged));
        Assert.All(publishers, publisher => Assert.InRange(publisher.Sent, ConnectionPublishBytes / 1_100, SequencePublisher.Flood - 1));
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{publishers.Sum(publisher => publisher.Sent)} messages sent in {Duration}; server {memoryBefore >> 20} MB before, at most {memory >> 20} MB meanwhile.");

        // What the connections may have on their way, three times (records, Kafka's client, garbage), and the flood's code getting compiled.
        Assert.InRange(memory, 0, memoryBefore + (3 * Publishers * ConnectionPublishBytes) + (48 << 20));

        subscriber.Start();
        await stop.CancelAsync();
        await kafka.ResumeAsync();
        await Task.WhenAll(floods).WaitAsync(RecoveryLimit);
        await subscriber.ReceiveAllAsync(publishers.Sum(publisher => publisher.Sent), RecoveryLimit);
        await other.PingAsync(PingLimit);
        await Until.ReadyAsync(server, 200);
        await DisposeAsync(publishers);

        async Task FloodAsync(SequencePublisher publisher)
        {
            try
            {
                await publisher.RunAsync(long.MaxValue, stop.Token);
            }
            catch (Exception exception) when (exception is IOException or SocketException)
            {
                Assert.Fail($"{exception.Message} After {publisher.Sent} sent and {publisher.Acknowledged} acknowledged:{Environment.NewLine}{string.Join(Environment.NewLine, server.Process.Lines)}");
            }
        }
    }

    [Fact]
    public async Task While_Kafka_is_stopped_nothing_is_acknowledged_and_afterwards_everything_is_in_order()
    {
        const int Meanwhile = 500;
        await using var kafka = await KafkaBroker.StartOwnAsync();
        using var log = TestLog.OnKafka(kafka.BootstrapServers);
        await using var server = await MqttServer.StartAsync(log.Settings);
        await using var other = await SocketClient.ConnectAsync(server.Port, "other");
        await using var subscriber = await SequenceSubscriber.ConnectAsync(server.Port, "load/#");
        subscriber.Start();
        var publishers = await Task.WhenAll(Enumerable.Range(0, 4).Select(p => SequencePublisher.ConnectAsync(server.Port, $"load/{p}", 256, window: 100)));
        using CancellationTokenSource stop = new();
        var loads = publishers.Select(publisher => publisher.RunAsync(long.MaxValue, stop.Token)).ToArray();
        await ForAllAsync(publishers, loads, publisher => publisher.Acknowledged >= 1_000);

        await kafka.StopAsync();
        var before = publishers.Select(publisher => publisher.Sent).ToArray();
        Array.ForEach(publishers, publisher => publisher.Widen(Meanwhile));
        await Task.WhenAll(StayAsync(server, other, loads), Until.ReadyAsync(server, 503));
        Assert.StartsWith("200", await server.GetAsync("/health/live"), StringComparison.Ordinal);
        for (var p = 0; p < publishers.Length; p++)
        {
            Assert.InRange(publishers[p].Acknowledged, 0, before[p]);
            Assert.InRange(publishers[p].Sent, before[p] + Meanwhile, long.MaxValue);
        }

        await kafka.StartAgainAsync();
        await ForAllAsync(publishers, loads, publisher => publisher.Acknowledged >= before[Array.IndexOf(publishers, publisher)] + Meanwhile);
        await stop.CancelAsync();
        await Task.WhenAll(loads).WaitAsync(RecoveryLimit);
        await subscriber.ReceiveAllAsync(publishers.Sum(publisher => publisher.Sent), RecoveryLimit);
        await other.PingAsync(PingLimit);
        await Until.ReadyAsync(server, 200);
        await DisposeAsync(publishers);
    }

    /// <summary>Lets the time pass; meanwhile another client's pings are answered, and no connection ends. Returns the most memory that the server took.</summary>
    private static async Task<long> StayAsync(MqttServer server, SocketClient other, Task[] connections)
    {
        var memory = 0L;
        var start = Stopwatch.GetTimestamp();
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(50));
        while (Stopwatch.GetElapsedTime(start) < Duration)
        {
            await other.PingAsync(PingLimit);
            memory = Math.Max(memory, server.Process.ResidentBytes);
            Assert.All(connections, connection => Assert.False(connection.IsCompleted, $"A connection ended: {connection.Exception}"));
            await timer.WaitForNextTickAsync();
        }

        return memory;
    }

    private static Task ForAllAsync(SequencePublisher[] publishers, Task[] loads, Predicate<SequencePublisher> condition) => Until.TrueAsync(
        () =>
        {
            Assert.All(loads, load => Assert.False(load.IsCompleted, $"A connection ended: {load.Exception}"));
            return Task.FromResult(Array.TrueForAll(publishers, condition));
        },
        () => $"Acknowledged: {string.Join(", ", publishers.Select(publisher => publisher.Acknowledged))}.");

    private static async Task DisposeAsync(SequencePublisher[] publishers)
    {
        foreach (var publisher in publishers)
        {
            await publisher.DisposeAsync();
        }
    }
}
