using Microsoft.Extensions.Options;
using Xunit;

namespace OrleansMqtt.Grains.Tests;

/// <summary>What a sessions partition keeps of its sessions.</summary>
[Collection(nameof(MemoryCollection))]
public sealed class SessionMemoryTests
{
    [Fact]
    public void A_thousand_messages_that_wait_for_a_session_take_at_most_64_KB()
    {
        const int Sessions = 100;
        const int Waiting = 1_000;
        var sessions = Enumerable.Range(0, Sessions).Select(i => new Session($"client-{i}", i)).ToArray();
        var bytes = Measure(() =>
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
        const int Least = 1_000;
        SessionTable sessions;
        SubscriptionTable subscriptions;
        long bytes;
        var attempts = 0;
        do
        {
            // Pools of earlier tests let go of their memory when some time has passed: if just now, it is measured again.
            sessions = new();
            subscriptions = new(new(Options.Create(new TopicsOptions())));
            subscriptions.Start([]);
            var (table, index) = (sessions, subscriptions);
            bytes = Measure(() =>
            {
                for (var i = 0; i < Sessions; i++)
                {
                    Session session = new($"client-{i}", table.TakeSlot());
                    table.Add(session);
                    SubscriptionStart start = new([0, 0, 0, 0]);
                    for (var filter = 0; filter < Filters; filter++)
                    {
                        index.Set(session, new() { Filter = isOwn ? $"load/{i}/{filter}" : $"load/all/{filter}", MaximumQoS = 1 }, start);
                    }
                }
            });
        }
        while (bytes / Sessions < Least && ++attempts < 3);

        TestContext.Current.TestOutputHelper!.WriteLine($"{kind}: {bytes / Sessions} bytes a session");
        Assert.Equal(Sessions, sessions.All.Count);
        Assert.InRange(bytes / Sessions, Least, isOwn ? 3_600 : 2_400);
        GC.KeepAlive(sessions);
        GC.KeepAlive(subscriptions);
    }

    [Fact]
    public void The_subscriptions_of_a_filter_come_and_go()
    {
        FilterSubscribers subscribers = new("site/+");
        var each = Enumerable.Range(0, 3).Select(i => new SessionSubscription(new($"client-{i}", i), subscribers)).ToArray();
        Assert.True(subscribers.Subscriptions.IsEmpty);
        subscribers.Add(each[0]);
        Assert.Equal([each[0]], subscribers.Subscriptions.ToArray());
        subscribers.Remove(each[0]);
        Assert.Equal(0, subscribers.Count);
        Array.ForEach(each, subscribers.Add);
        Assert.Equal(each, subscribers.Subscriptions.ToArray());
        subscribers.Remove(each[0]);
        Assert.Equal([each[2], each[1]], subscribers.Subscriptions.ToArray());
        subscribers.Remove(each[1]);
        Assert.Equal([each[2]], subscribers.Subscriptions.ToArray());
        subscribers.Remove(each[2]);
        Assert.Equal(0, subscribers.Count);
        Assert.True(subscribers.Subscriptions.IsEmpty);
        subscribers.Add(each[1]);
        Assert.Equal([each[1]], subscribers.Subscriptions.ToArray());
    }

    private static long Measure(Action action)
    {
        var before = MemoryCollection.UsedBytes();
        action();
        return MemoryCollection.UsedBytes() - before;
    }
}
