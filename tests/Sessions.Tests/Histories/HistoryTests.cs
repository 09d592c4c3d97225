using OrleansMqtt.Sessions.Tests.Servers;
using Xunit;

namespace OrleansMqtt.Sessions.Tests.Histories;

/// <summary>
/// Random histories of sessions against a model of them. <c>ORLEANSMQTT_HISTORIES</c>: how many; <c>ORLEANSMQTT_SEED</c>: which ones; <c>ORLEANSMQTT_HISTORY</c>: this one alone. The names of the
/// classes tell the server.
/// </summary>
public abstract class HistoryTests(string name)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Every_promise_holds_in_random_histories() => await RunAsync(crashes: 0, 150);

    [Fact]
    public async Task Every_promise_holds_in_random_histories_with_crashes() => await RunAsync(crashes: 2, 100);

    private async Task RunAsync(int crashes, int count)
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
