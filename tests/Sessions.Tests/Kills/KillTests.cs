using OrleansMqtt.Sessions.Tests.Servers;
using Xunit;

namespace OrleansMqtt.Sessions.Tests.Kills;

/// <summary>SIGKILL of the server under load, <c>ORLEANSMQTT_KILL_ROUNDS</c> times at moments that <c>ORLEANSMQTT_SEED</c> decides. The names of the classes tell the server.</summary>
public abstract class KillTests(string name)
{
    [Fact]
    public async Task Nothing_is_lost_or_double_when_the_server_is_killed_under_load()
    {
        var seed = TestSettings.Number("ORLEANSMQTT_SEED", Random.Shared.Next(1, 1_000_000));
        await using var server = await ServersUnderTest.StartAsync(name);
        using KillRounds rounds = new(server, seed);
        await rounds.RunAsync(TestSettings.Number("ORLEANSMQTT_KILL_ROUNDS", 3));
        var summary = $"{name}, seed {seed}: {rounds.Summary}";
        TestSettings.Print(summary);
        Assert.Empty(rounds.Ledger.Violations);
        Assert.True((rounds.Ledger.Lost(), rounds.Ledger.OutOfOrder, rounds.Ledger.LostSessions, rounds.WillsMissing, rounds.WillsWrong) == (0, 0, 0, 0, 0), summary);
        Assert.True(server.Deviations.HasFlag(Deviations.ForgetsInCrash) || (rounds.Ledger.Duplicates(2), rounds.WillsDouble) == (0, 0), summary);
    }
}
