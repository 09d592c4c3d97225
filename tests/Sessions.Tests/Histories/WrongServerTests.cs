using OrleansMqtt.Sessions.Tests.Servers;
using Xunit;

namespace OrleansMqtt.Sessions.Tests.Histories;

/// <summary>Histories fail with a server that breaks its promises.</summary>
public sealed class WrongServerTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);

    [Fact]
    public async Task A_server_that_drops_messages_is_found_out()
    {
        await using var server = await MosquittoServer.StartAsync(queued: 1);
        HistoryRuns runs = new(server, seed: 1, Limit);
        await runs.RunAsync(Enumerable.Range(0, 30), crashes: 0);
        Assert.Contains("has not got m", runs.Failures, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_forgets_sessions_in_a_crash_is_found_out()
    {
        await using var server = await MosquittoServer.StartAsync(isKilled: true);
        HistoryRuns runs = new(server, seed: 1, Limit);
        await runs.RunAsync(Enumerable.Range(0, 10), crashes: 1);
        Assert.Contains("Session Present is False", runs.Failures, StringComparison.Ordinal);
    }
}
