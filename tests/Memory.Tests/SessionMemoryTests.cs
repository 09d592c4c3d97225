using Microsoft.Extensions.Options;
using OrleansMqtt.Grains;
using Xunit;

namespace OrleansMqtt.Memory.Tests;

/// <summary>What a sessions partition keeps of its sessions.</summary>
public sealed class SessionMemoryTests
{
    [Fact]
    public void A_thousand_messages_that_wait_for_a_session_take_at_most_64_KB()
    {
        const int Sessions = 100;
        const int Waiting = 1_000;
        var sessions = Enumerable.Range(0, Sessions).Select(i => new Session($"client-{i}", i)).ToArray();
        var bytes = UsedMemory.By(() =>
        {
            foreach (var session in sessions)
            {
                for (var i = 0; i < Waiting; i++)
                {
                    session.Mailbox.Enqueue(new(i, 1, 1));
                }
            }
        });

        TestContext.Current.TestOutputHelper!.WriteLine($"{bytes / Sessions} bytes for {Waiting} messages that wait");
        Assert.All(sessions, session => Assert.Equal(Waiting, session.Mailbox.Count));
        Assert.InRange(bytes / Sessions, Waiting, 64 * 1024);
        GC.KeepAlive(sessions);
    }

    [Theory]
    [InlineData("filters of its own", true)]
    [InlineData("filters that all have", false)]
    public void A_session_that_is_away_with_ten_filters_takes_bounded_memory(string kind, bool isOwn)
    {
        const int Sessions = 20_000;
        const int Filters = 10;
        SessionTable sessions = new();
        SubscriptionTable subscriptions = new(new(Options.Create(new TopicsOptions())));
        subscriptions.Start([]);
        var bytes = UsedMemory.By(() =>
        {
            for (var i = 0; i < Sessions; i++)
            {
                Session session = new($"client-{i}", sessions.TakeSlot());
                sessions.Add(session);
                SubscriptionStart start = new([0, 0, 0, 0]);
                for (var filter = 0; filter < Filters; filter++)
                {
                    subscriptions.Set(session, new() { Filter = isOwn ? $"load/{i}/{filter}" : $"load/all/{filter}", MaximumQoS = 1 }, start);
                }
            }
        });

        TestContext.Current.TestOutputHelper!.WriteLine($"{kind}: {bytes / Sessions} bytes a session");
        Assert.Equal(Sessions, sessions.All.Count);
        Assert.InRange(bytes / Sessions, 1_000, isOwn ? 3_600 : 2_400);
        GC.KeepAlive(sessions);
        GC.KeepAlive(subscriptions);
    }
}
