using OrleansMqtt.LoadGenerator.Engine;
using OrleansMqtt.LoadGenerator.Measuring;
using Xunit;

namespace OrleansMqtt.LoadGenerator.Tests;

/// <summary>Whole runs against a real broker; skipped where mosquitto is not installed, except on CI.</summary>
public sealed class LoadRunTests
{
    [Theory]
    [InlineData("P2p", 4, 0)]
    [InlineData("P2p", 4, 1)]
    [InlineData("P2p", 5, 1)]
    [InlineData("P2p", 4, 2)]
    [InlineData("P2p", 5, 2)]
    [InlineData("FanIn", 5, 1)]
    [InlineData("FanOut", 5, 1)]
    [InlineData("Shared", 5, 1)]
    [InlineData("Shared", 5, 2)]
    public async Task Every_message_arrives_once_and_in_order(string scenario, int protocol, int qos)
    {
        using var mosquitto = await StartAsync();
        var result = await RunAsync(Settings(mosquitto, Enum.Parse<Scenario>(scenario)) with
        {
            Protocol = protocol,
            PublishQualityOfService = qos,
            SubscribeQualityOfService = qos,
            Rate = 2000,
            Threads = 2,
        });

        // 1.5 s at 2,000 messages/s.
        Assert.InRange(result.Published, 2900, 3000);
        Assert.Equal(qos > 0 ? result.Published : 0, result.Acknowledged);
        Assert.Equal(result.Published * result.Settings.DeliveriesPerMessage, result.Delivered);
        Assert.Equal((0, 0, 0, 0, 0), (result.Lost, result.Duplicates, result.OutOfOrder, result.Foreign, result.ExitCode));
        Assert.InRange(result.EndToEnd.P50, 0.001, 1000);
        Assert.Equal(2, result.Processes.Count);
    }

    [Fact]
    public async Task A_window_bounds_what_is_outstanding_and_loses_nothing()
    {
        using var mosquitto = await StartAsync();
        var result = await RunAsync(Settings(mosquitto, Scenario.FanOut) with { Window = 10, WindowBy = WindowBy.Delivery });

        Assert.True(result.Published > 100);
        Assert.Equal((0, 0), (result.Lost, result.ExitCode));
    }

    [Fact]
    public async Task Messages_that_the_server_drops_are_lost_and_the_run_fails()
    {
        // With two messages in flight and three queued, mosquitto drops the rest of what a slow moment brings.
        using var mosquitto = await StartAsync("max_inflight_messages 2\nmax_queued_messages 3");
        var result = await RunAsync(Settings(mosquitto, Scenario.FanIn) with { Protocol = 4, Subscribers = 1, Publishers = 20, Window = 100, Drain = 1 });

        Assert.True(result.Lost > 0);
        Assert.Equal(ExitCodes.PromiseBroken, result.ExitCode);
        Assert.Equal(result.Acknowledged, result.Delivered + result.Lost);
    }

    [Theory]
    [InlineData(4, 1)]
    [InlineData(5, 1)]
    [InlineData(4, 2)]
    [InlineData(5, 2)]
    public async Task Clients_that_were_away_get_everything_once_and_in_order(int protocol, int qos)
    {
        using var mosquitto = await StartAsync();
        var result = await RunOfflineAsync(Settings(mosquitto, Scenario.Offline) with { Protocol = protocol, PublishQualityOfService = qos, SubscribeQualityOfService = qos });

        Assert.Equal((5_003, 0, 0, 0, 0), (result.Delivered, result.Lost, result.Duplicates, result.OutOfOrder, result.ExitCode));
        Assert.True(result.DeliverySeconds > 0);
    }

    [Fact]
    public async Task Messages_that_the_server_drops_for_clients_that_are_away_are_lost_and_the_run_fails()
    {
        using var mosquitto = await StartAsync("max_queued_messages 30");
        var result = await RunOfflineAsync(Settings(mosquitto, Scenario.Offline) with { Drain = 1 });

        Assert.True(result.Lost > 0);
        Assert.Equal((5_003, ExitCodes.PromiseBroken), (result.Delivered + result.Lost, result.ExitCode));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Publishing_alone_counts_what_was_acknowledged(int qos)
    {
        using var mosquitto = await StartAsync();
        var result = await RunAsync(Settings(mosquitto, Scenario.Publish) with { Subscribers = 0, PublishQualityOfService = qos, Rate = 2000 });

        // 1.5 s at 2,000 messages/s, of which 1 s is measured.
        Assert.InRange(result.Published, 2900, 3000);
        Assert.Equal(qos > 0 ? result.Published : 0, result.Acknowledged);
        Assert.InRange(qos > 0 ? result.AcknowledgedPerSecond : result.PublishedPerSecond, 1500, 2500);
        Assert.Equal((0, 0, 0, 0, 4), (result.Delivered, result.Lost, result.Unacknowledged, result.ExitCode, result.Connections));
        Assert.Equal(qos > 0, result.Acknowledgement.P50 > 0);
        Assert.Equal(0, result.EndToEnd.P50);
    }

    [Fact]
    public async Task Idle_connections_are_opened_and_held()
    {
        using var mosquitto = await StartAsync();
        var result = await RunAsync(Settings(mosquitto, Scenario.Connections) with { Publishers = 0, Subscribers = 0, Idle = 300, SourceAddresses = 3 });

        Assert.Equal((300, 0, 0), (result.Connections, result.ConnectionsLost, result.ExitCode));
        Assert.NotNull(result.Processes[0].BytesPerConnection);
    }

    [Fact]
    public async Task The_ledger_holds_exactly_what_was_acknowledged_before_the_server_was_killed()
    {
        using var mosquitto = await StartAsync();
        string file = Path.GetTempFileName();
        try
        {
            var run = RunAsync(Settings(mosquitto, Scenario.Ledger) with { Subscribers = 0, LedgerFile = file, Duration = 60, Rate = 2000 });
            while (new FileInfo(file).Length == 0)
            {
                Assert.False(run.IsCompleted);
                await Task.Delay(10, TestContext.Current.CancellationToken);
            }

            mosquitto.Kill();
            var result = await run.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
            string[] lines = await File.ReadAllLinesAsync(file, TestContext.Current.CancellationToken);

            Assert.Equal(result.Acknowledged, lines.Length);
            Assert.Equal(lines.Length, lines.Distinct().Count());
            Assert.All(lines, l => Assert.StartsWith($"{result.Settings.TopicPrefix}/", l, StringComparison.Ordinal));
            Assert.Equal(4, result.ConnectionsLost);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData(4, 0)]
    [InlineData(5, 1)]
    [InlineData(5, 2)]
    public async Task Retained_messages_are_published_once_and_found_by_both_subscriptions(int protocol, int qualityOfService)
    {
        using var mosquitto = await StartAsync();
        var settings = Settings(mosquitto, Scenario.Retained) with
        {
            Protocol = protocol,
            PublishQualityOfService = 1,
            SubscribeQualityOfService = qualityOfService,
            Messages = 503,
            Window = 20,
        };
        var result = await new RetainedRun(settings, null, [], TextWriter.Null, TestContext.Current.CancellationToken).RunAsync();
        var again = await new RetainedRun(settings with { SubscribeOnly = true }, null, [], TextWriter.Null, TestContext.Current.CancellationToken).RunAsync();

        Assert.Equal([("test/#", 503L, 0L), ("test/+/temp", 51L, 0L)], result.Subscriptions.Select(each => (each.Filter, each.Received, each.Duplicates)));
        Assert.Equal(ExitCodes.Ok, result.ExitCode);
        Assert.Equal(ExitCodes.Ok, again.ExitCode);
        Assert.Equal(0, again.PublishSeconds);
    }

    [Fact]
    public async Task A_refused_connection_is_one_clear_line()
    {
        using var mosquitto = await StartAsync("allow_anonymous false");
        var error = await Assert.ThrowsAsync<LoadException>(() => RunAsync(Settings(mosquitto, Scenario.P2p) with { Protocol = 4 }));

        Assert.Contains("CONNACK 5 (not authorized)", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_one_clear_line()
    {
        var settings = new LoadSettings { Scenario = Scenario.P2p, Ports = [1], Publishers = 1, Subscribers = 1 };
        var error = await Assert.ThrowsAsync<LoadException>(() => RunAsync(settings));

        Assert.Equal("cannot connect to 127.0.0.1:1: Connection refused", error.Message);
    }

    private static Task<Mosquitto> StartAsync(string more = "")
    {
        Assert.SkipUnless(Mosquitto.Program is not null || Environment.GetEnvironmentVariable("CI") == "true", "mosquitto is not installed");
        Assert.True(Mosquitto.Program is not null, "mosquitto is not installed");
        return Mosquitto.StartAsync(TestContext.Current.CancellationToken, more);
    }

    private static LoadSettings Settings(Mosquitto mosquitto, Scenario scenario) => new()
    {
        Scenario = scenario,
        Ports = [mosquitto.Port],
        Publishers = 4,
        Subscribers = 4,
        Duration = 1,
        Messages = 5_003,
        WarmUp = scenario == Scenario.Connections ? 0 : 0.5,
        TopicPrefix = "test",
        ClientPrefix = "test",
    };

    private static Task<OfflineResult> RunOfflineAsync(LoadSettings settings) =>
        new OfflineRun(settings with { Subscribers = 50, Window = 20 }, null, [], TextWriter.Null, TestContext.Current.CancellationToken).RunAsync();

    private static async Task<RunResult> RunAsync(LoadSettings settings)
    {
        var mosquitto = new WatchedProcess("broker", Environment.ProcessId);
        using var run = new LoadRun(settings, null, [mosquitto], TextWriter.Null, TestContext.Current.CancellationToken);
        return await run.RunAsync();
    }
}
