using OrleansMqtt.Sessions.Tests.Servers;
using Xunit;

namespace OrleansMqtt.Sessions.Tests.Kills;

/// <summary>SIGKILL of the server under the load of shared subscriptions.</summary>
public sealed class SharedKillTests
{
    [Theory]
    [InlineData(ServersUnderTest.Embedded)]
    [InlineData(ServersUnderTest.Kafka)]
    public async Task A_group_loses_nothing_and_gets_nothing_of_QoS_2_twice_when_members_and_the_server_are_killed_under_load(string name)
    {
        var seed = TestSettings.Number("ORLEANSMQTT_SEED", Random.Shared.Next(1, 1_000_000));
        await using var server = await ServersUnderTest.StartAsync(name);
        using SharedKillRounds rounds = new(server, seed);
        await rounds.RunAsync(TestSettings.Number("ORLEANSMQTT_KILL_ROUNDS", 3));
        var summary = $"{name}, seed {seed}: {rounds.Summary}";
        TestSettings.Print(summary);
        foreach (var note in rounds.Ledger.Missing.Concat(rounds.Ledger.Notes).Take(20))
        {
            TestSettings.Print(note);
        }

        Assert.Empty(rounds.Ledger.Violations);
        Assert.True((rounds.Ledger.Lost(), rounds.Ledger.Duplicates(2), rounds.Ledger.LostSessions) == (0, 0, 0), summary);
    }
}
