using OrleansMqtt.Sessions.Tests.Clients;
using OrleansMqtt.Sessions.Tests.Servers;
using Xunit;

namespace OrleansMqtt.Sessions.Tests.Kills;

/// <summary>SIGKILL of the server while retained messages are in flight.</summary>
public sealed class RetainedKillTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    // The embedded log compacts at once what a Kafka compacts at some time.
    [Fact]
    public async Task Retained_messages_that_were_not_acknowledged_come_again_although_others_have_replaced_them()
    {
        await using var server = await ServersUnderTest.StartAsync(ServersUnderTest.Embedded);
        using SessionClient publisher = new("publisher", 5, new Recorder()) { AnswersItself = true };
        Recorder received = new();
        using SessionClient subscriber = new("subscriber", 5, received);
        string large = new('x', 600_000);
        await publisher.ConnectAsync(server.Port, cleanStart: true, sessionExpiry: null);
        await PublishAsync("t/0", "first");
        await PublishAsync("t/1", large);
        await subscriber.ConnectAsync(server.Port, cleanStart: false, sessionExpiry: 3600);
        subscriber.Subscribe("t/+", 2);
        Assert.True(await subscriber.WaitAsync(() => received.Publishes.Count == 2, Limit));
        var first = received.Publishes.ToArray();
        subscriber.Drop(isReset: true);
        await PublishAsync("t/0", "other");
        await PublishAsync("t/1", "");
        await server.CrashAsync();
        await server.StartAgainAsync();

        // Twice: what was loaded is stored again, too.
        for (var i = 0; i < 2; i++)
        {
            received.Publishes.Clear();
            Assert.True(await subscriber.ConnectAsync(server.Port, cleanStart: false, sessionExpiry: 3600));
            Assert.True(await subscriber.WaitAsync(() => received.Publishes.Count >= 4, Limit));
            Assert.Equal(first.Select(each => (each.PacketId, each.Payload, each.IsRetained)), received.Publishes.Take(2).Select(each => (each.PacketId, each.Payload, each.IsRetained)));
            Assert.All(received.Publishes.Take(2), each => Assert.True(each.IsDuplicate));
            // Two topics have no order between them.
            Assert.Equal(["", "other"], received.Publishes.Skip(2).Select(each => each.Payload).Order());
            await server.CrashAsync();
            await server.StartAgainAsync();
        }

        async Task PublishAsync(string topic, string payload)
        {
            var publish = publisher.Publish(topic, payload, 2, isRetained: true)!;
            Assert.True(await publisher.WaitAsync(() => !publisher.IsOutgoing(publish), Limit));
        }
    }

    private sealed class Recorder : SessionObserver
    {
        public List<IncomingPublish> Publishes { get; } = [];

        public override void Received(IncomingPublish publish) => Publishes.Add(publish);
    }
}
