using OrleansMqtt.Sessions.Tests.Clients;
using OrleansMqtt.Sessions.Tests.Servers;
using Xunit;

namespace OrleansMqtt.Sessions.Tests.Kills;

/// <summary>SIGKILL of the server after a record was refused that its topic does not take, and with it the sessions whose changes were in the same transaction.</summary>
public sealed class RefusedRecordKillTests
{
    private const int Messages = 50;
    private const int Window = 10;
    private const int Neighbours = 10;
    private const int Together = 3;
    private const string Refusal = "has a QoS 2 message that the log does not take";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    // A packet and some others are at most 1 MiB, and go into one transaction; the record holds its publisher's long name too, and is more than that.
    private static readonly string Large = new('x', 1_048_000);
    private static readonly string LongName = new('x', 1_000);

    [Fact]
    public async Task A_record_that_the_log_refuses_keeps_nothing_else_from_being_stored()
    {
        const int MostRounds = 100;

        // One partition: what the witness has got waits for the others too.
        await using var server = await ServersUnderTest.StartOnKafkaAsync(sessionPartitions: 1, maximumRecordBytes: 1_048_588);
        using SessionClient publisher = new("publisher", 5, new Recorder()) { AnswersItself = true };
        Recorder witnessed = new();
        using SessionClient witness = new("witness", 5, witnessed) { AnswersItself = true };
        await publisher.ConnectAsync(server.Port, cleanStart: true, sessionExpiry: null);
        await SubscribeAsync(witness, server.Port, "t/+");
        List<(SessionClient Client, Recorder Received, int Round)> subscribers = [];
        try
        {
            // What is refused together with a change of a neighbour is refused by itself again.
            for (var round = 0; Refusals() <= round; round++)
            {
                Assert.True(round < MostRounds, $"In {round} rounds there were {Refusals()} refusals.");
                var neighbours = Enumerable.Range(0, Neighbours).Select(i => New($"neighbour-{round}-{i}", round)).ToArray();
                var refused = New($"refused-{round}-{LongName}", round);
                foreach (var client in neighbours.Append(refused))
                {
                    await SubscribeAsync(client, server.Port, $"t/{round}", Window);
                }

                for (var i = 0; i < Messages; i++)
                {
                    Assert.NotNull(publisher.Publish($"t/{round}", $"{round} {i}", 1));
                }

                Assert.True(await publisher.WaitAsync(() => publisher.Outgoing == 0, Limit));
                Assert.True(await witness.WaitAsync(() => witnessed.Publishes.Count == Messages * (round + 1), Limit));

                // While the change of one is stored, those of the next gather.
                refused.Publish("other", Large, 2);
                var publishes = neighbours.Take(Together).Select(client => client.Publish("other", "x", 2)!).ToList();
                for (var i = 0; i < Neighbours; i++)
                {
                    Assert.True(await neighbours[i].WaitAsync(() => publishes[i].IsTaken, Limit));
                    publishes.AddRange(neighbours.Skip(publishes.Count).Take(1).Select(client => client.Publish("other", "x", 2)!));
                }

                Assert.True(await refused.WaitAsync(() => subscribers[^1].Received.Refusal is not null, Limit));
                Assert.Contains("with reason 97", subscribers[^1].Received.Refusal, StringComparison.Ordinal);
            }

            TestSettings.Print($"{Refusals()} refusals of {subscribers.Count / (Neighbours + 1)} records");
            await server.CrashAsync();
            await server.StartAgainAsync();

            // By their names the neighbours are first.
            foreach (var (client, received, round) in subscribers.OrderBy(each => each.Client.ClientId, StringComparer.Ordinal))
            {
                // Another one, which does not send again what was refused.
                using SessionClient again = new(client.ClientId, 5, received) { AnswersItself = true };
                received.Publishes.Clear();
                Assert.True(await again.ConnectAsync(server.Port, cleanStart: false, sessionExpiry: 3600, Window));
                await again.WaitAsync(() => received.Publishes.Count == Messages, Limit);
                var expected = Enumerable.Range(0, Messages).Select(i => $"{round} {i}");
                Assert.Equal($"{client.ClientId}: {string.Join(", ", expected)}", $"{client.ClientId}: {string.Join(", ", received.Publishes.Select(each => each.Payload))}");
            }
        }
        finally
        {
            subscribers.ForEach(each => each.Client.Dispose());
        }

        int Refusals() => server.Output.Count(line => line.Contains(Refusal, StringComparison.Ordinal));

        SessionClient New(string clientId, int round)
        {
            Recorder received = new();
            SessionClient client = new(clientId, 5, received);
            subscribers.Add((client, received, round));
            return client;
        }
    }

    private static async Task SubscribeAsync(SessionClient client, int port, string filter, int receiveMaximum = 0)
    {
        await client.ConnectAsync(port, cleanStart: true, sessionExpiry: 3600, receiveMaximum);
        client.Subscribe(filter, 1);
        Assert.True(await client.WaitAsync(() => !client.HasRequests, Limit));
    }

    private sealed class Recorder : SessionObserver
    {
        public List<IncomingPublish> Publishes { get; } = [];

        public string? Refusal { get; private set; }

        public override void Received(IncomingPublish publish) => Publishes.Add(publish);

        public override void Violated(string what) => Refusal = what;
    }
}
