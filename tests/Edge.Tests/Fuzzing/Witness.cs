namespace OrleansMqtt.Edge.Tests.Fuzzing;

/// <summary>A client that does nothing wrong, and has to be served as if it were alone.</summary>
internal sealed class Witness : IDisposable
{
    private readonly RawClient _client;
    private int _sent;

    private Witness(RawClient client) => _client = client;

    public static async Task<Witness> ConnectAsync(FuzzHost host)
    {
        var client = await RawClient.ConnectAsync(host.EndPoint.Port, "the witness", 5);
        await client.SendAsync($"820F000100{RawClient.Text(FuzzGrains.WitnessTopics + "x")}01");
        Assert.Equal("900400010001", await client.ReceivePacketAsync());
        return new(client);
    }

    /// <summary>Publishes until cancelled, and receives each message itself; returns how many.</summary>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            var payload = $"message {_sent++}";
            var packetId = (_sent % 1000) + 1;
            await _client.SendAsync(RawClient.PublishPacket(FuzzGrains.WitnessTopics + "x", payload, 5, packetId));
            string[] received = [await _client.ReceivePacketAsync(), await _client.ReceivePacketAsync()];
            Assert.Contains($"4002{packetId:X4}", received);
            Assert.Contains(RawClient.PublishPacket(FuzzGrains.WitnessTopics + "x", payload, 5, packetId), received);
            await _client.SendAsync($"4002{packetId:X4}");
        }

        return _sent;
    }

    public void Dispose() => _client.Dispose();
}
