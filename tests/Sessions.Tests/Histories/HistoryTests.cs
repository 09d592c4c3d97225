using OrleansMqtt.Sessions.Tests.Servers;
using Xunit;

namespace OrleansMqtt.Sessions.Tests.Histories;

/// <summary>
/// Random histories of sessions against a model of them. <c>ORLEANSMQTT_HISTORIES</c>: how many; <c>ORLEANSMQTT_SEED</c>: which ones; <c>ORLEANSMQTT_HISTORY</c>: this one alone.
/// </summary>
public sealed class HistoryTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData(ServersUnderTest.Mosquitto)]
    [InlineData(ServersUnderTest.Embedded)]
    [InlineData(ServersUnderTest.Kafka)]
    public async Task A_server_keeps_every_promise_in_random_histories(string name) => await RunAsync(name, crashes: 0, 150);

    [Theory]
    [InlineData(ServersUnderTest.Mosquitto)]
    [InlineData(ServersUnderTest.Embedded)]
    [InlineData(ServersUnderTest.Kafka)]
    public async Task A_server_keeps_every_promise_in_random_histories_with_crashes(string name) => await RunAsync(name, crashes: 2, 100);

    [Fact]
    public async Task A_server_that_drops_messages_is_found_out()
    {
        await using var server = await MosquittoServer.StartAsync(queued: 1);
        HistoryRuns runs = new(server, seed: 1, TimeSpan.FromSeconds(2));
        await runs.RunAsync(Enumerable.Range(0, 30), crashes: 0);
        Assert.Contains("has not got m", runs.Failures, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_forgets_sessions_in_a_crash_is_found_out()
    {
        await using var server = await MosquittoServer.StartAsync(isKilled: true);
        HistoryRuns runs = new(server, seed: 1, TimeSpan.FromSeconds(2));
        await runs.RunAsync(Enumerable.Range(0, 10), crashes: 1);
        Assert.Contains("Session Present is False", runs.Failures, StringComparison.Ordinal);
    }

    private static async Task RunAsync(string name, int crashes, int count)
    {
        var seed = TestSettings.Number("ORLEANSMQTT_SEED", Random.Shared.Next(1, 1_000_000));
        count = TestSettings.Number("ORLEANSMQTT_HISTORIES", count);
        var one = TestSettings.Number("ORLEANSMQTT_HISTORY", -1);
        await using var server = await ServersUnderTest.StartAsync(name);
        HistoryRuns runs = new(server, seed, Limit);
        await runs.RunAsync(one >= 0 ? [one] : Enumerable.Range(0, count), crashes);
        TestSettings.Print($"{name}: {runs.Summary}");
        if (runs.Failures is { } failures)
        {
            Assert.Fail(failures);
        }
    }
}
