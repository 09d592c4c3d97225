using System.Net.Sockets;
using System.Text;
using Xunit;

namespace OrleansMqtt.Silo.Tests;

/// <summary>Many clients want one client identifier at once.</summary>
public sealed class FightTests
{
    private const int Fighters = 1000;

    [Theory]
    [InlineData("Embedded")]
    [InlineData("Kafka")]
    public async Task A_thousand_clients_that_fight_for_one_client_identifier_leave_one_winner_with_its_session(string kind)
    {
        using var log = await TestLog.CreateAsync(kind);
        await using var server = await TestKit.MqttServer.StartAsync(log.Settings);
        var clientId = $"fight-{Guid.NewGuid():N}";
        await using var publisher = await TestClient.ConnectAsync(server.Port);
        await using (var before = await TestClient.ConnectAsync(server.Port, clientId, sessionExpiry: 3600))
        {
            await before.SubscribeAsync("fight/topic");
            await publisher.PublishAsync("fight/topic", "0");
            Assert.Equal("0", TestClient.TextOf(await before.ReceiveAsync()));
        }

        var fighters = await Task.WhenAll(Enumerable.Range(0, Fighters).Select(_ => FightAsync(server.Port, clientId)));
        var accepted = fighters.Count(fighter => fighter.IsAccepted);
        TestContext.Current.TestOutputHelper!.WriteLine($"{accepted} of {Fighters} were accepted for a time, {fighters.Count(fighter => !fighter.IsAccepted)} were refused");
        await Until.TrueAsync(
            () => Task.FromResult(fighters.Count(fighter => !fighter.Ended.IsCompleted) == 1), () => $"{fighters.Count(fighter => !fighter.Ended.IsCompleted)} connections are open.");
        var winner = fighters.Single(fighter => !fighter.Ended.IsCompleted);
        Assert.True(winner.IsAccepted);

        var received = winner.Received("after");
        await publisher.PublishAsync("fight/topic", "after");
        await received.WaitAsync(TestClient.Limit);
        Assert.All(fighters, fighter => Assert.True(fighter == winner || fighter.Ended.IsCompleted));
        foreach (var fighter in fighters)
        {
            fighter.Dispose();
        }
    }

    private static async Task<Fighter> FightAsync(int port, string clientId)
    {
        Fighter fighter = new();
        await fighter.ConnectAsync(port, clientId);
        return fighter;
    }

    private sealed class Fighter : IDisposable
    {
        private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        private readonly TaskCompletionSource _received = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private volatile string _wanted = "";

        /// <summary>Whether CONNACK was a success, with the session.</summary>
        public bool IsAccepted { get; private set; }

        public Task Ended { get; private set; } = Task.CompletedTask;

        public Task Received(string payload)
        {
            _wanted = payload;
            return _received.Task;
        }

        public async Task ConnectAsync(int port, string clientId)
        {
            await _socket.ConnectAsync("127.0.0.1", port);
            byte[] id = Encoding.ASCII.GetBytes(clientId);

            // MQTT 5, Clean Start 0, Session Expiry Interval of an hour.
            byte[] packet = [0x10, (byte)(18 + id.Length), 0, 4, (byte)'M', (byte)'Q', (byte)'T', (byte)'T', 5, 0, 0, 0, 5, 0x11, 0, 0, 14, 16, 0, (byte)id.Length, .. id];
            await _socket.SendAsync(packet);
            TaskCompletionSource answered = new(TaskCreationOptions.RunContinuationsAsynchronously);
            Ended = ReadAsync(answered);
            await answered.Task.WaitAsync(TimeSpan.FromSeconds(120));
        }

        public void Dispose() => _socket.Dispose();

        private async Task ReadAsync(TaskCompletionSource answered)
        {
            var buffer = new byte[4096];
            var text = "";
            try
            {
                for (var isFirst = true; await _socket.ReceiveAsync(buffer) is > 0 and var count; isFirst = false)
                {
                    if (isFirst)
                    {
                        // CONNACK: Session Present and Success.
                        IsAccepted = buffer[0] == 0x20 && buffer[2] == 1 && buffer[3] == 0;
                        answered.TrySetResult();
                    }

                    text += Encoding.Latin1.GetString(buffer, 0, count);
                    if (_wanted.Length > 0 && text.Contains(_wanted, StringComparison.Ordinal))
                    {
                        _received.TrySetResult();
                    }
                }
            }
            catch (SocketException)
            {
                // Closed with a reset.
            }

            answered.TrySetResult();
        }
    }
}
