using OrleansMqtt.Sessions.Tests.Servers;
using Xunit;

namespace OrleansMqtt.Sessions.Tests.Kills;

/// <summary>Kills find out a server that breaks its promises.</summary>
public sealed class WrongServerTests
{
    [Fact]
    public async Task A_server_that_forgets_when_it_is_killed_is_found_out()
    {
        await using var server = await MosquittoServer.StartAsync(isKilled: true);
        using KillRounds rounds = new(server, seed: 1, TimeSpan.FromSeconds(2));

        // The second round has wills and messages for subscribers that the server does not know any more.
        await Assert.ThrowsAsync<TimeoutException>(() => rounds.RunAsync(2));
        Assert.True(rounds.Ledger.LostSessions > 0 && rounds.Ledger.Lost() > 0, rounds.Summary);
    }
}
