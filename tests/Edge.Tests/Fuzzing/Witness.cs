using System.Diagnostics;

namespace OrleansMqtt.Edge.Tests.Fuzzing;

/// <summary>A client that does nothing wrong, and has to be served as if it were alone.</summary>
internal sealed class Witness : IDisposable
{
    private readonly RawClient _client;
    private int _sent;

    private Witness(RawClient client) => _client = client;

    /// <summary>The longest that a message took to be acknowledged and to come back.</summary>
    public TimeSpan Slowest { get; private set; }

    public static async Task<Witness> ConnectAsync(int port)
    {
        var client = await RawClient.ConnectAsync(port, "the witness", 5);
        await client.SendAsync($"820F000100{RawClient.Text(FuzzGrains.WitnessTopics + "x")}01");
        Assert.Equal("900400010001", await client.ReceivePacketAsync());
        return new(client);
    }

    /// <summary>Publishes until cancelled, each time this much later, and receives each message itself; returns how many.</summary>
    public async Task<int> RunAsync(TimeSpan pause, CancellationToken cancellationToken)
    {
        using PeriodicTimer timer = new(pause);
        while (!cancellationToken.IsCancellationRequested)
        {
            var payload = $"message {_sent++}";
            var packetId = (_sent % 1000) + 1;
            var watch = Stopwatch.StartNew();
            await _client.SendAsync(RawClient.PublishPacket(FuzzGrains.WitnessTopics + "x", payload, 5, packetId));
            string[] received = [await _client.ReceivePacketAsync(), await _client.ReceivePacketAsync()];
            Slowest = watch.Elapsed > Slowest ? watch.Elapsed : Slowest;
            Assert.Contains($"4002{packetId:X4}", received);
            var delivery = Assert.Single(received, packet => packet[0] == '3');
            var deliveryId = delivery[(8 + (2 * (FuzzGrains.WitnessTopics.Length + 1)))..][..4];
            Assert.Equal(RawClient.PublishPacket(FuzzGrains.WitnessTopics + "x", payload, 5, Convert.ToInt32(deliveryId, 16)), delivery);
            await _client.SendAsync($"4002{deliveryId}");
            try
            {
                await timer.WaitForNextTickAsync(cancellationToken);
            }
            catch (OperationCanceledException)
            {
                // It is over.
            }
        }

        return _sent;
    }

    public void Dispose() => _client.Dispose();
}
