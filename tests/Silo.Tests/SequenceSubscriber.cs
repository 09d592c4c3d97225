using System.Buffers.Text;
using Xunit;

namespace OrleansMqtt.Silo.Tests;

/// <summary>Receives what <see cref="SequencePublisher"/>s send: of each topic the numbers from 0, in order.</summary>
internal sealed class SequenceSubscriber(SocketClient client, bool hasGaps = false) : IAsyncDisposable
{
    private readonly Dictionary<string, long> _next = [];
    private long _received;
    private long _total = long.MaxValue;
    private Task? _receiving;

    public long Received => Volatile.Read(ref _received);

    /// <summary>Subscribes; what comes stays in the socket until <see cref="Start"/>.</summary>
    /// <param name="hasGaps">Whether messages may be missing.</param>
    public static async Task<SequenceSubscriber> ConnectAsync(int port, string filter, byte qos = 1, int receiveBuffer = 0, bool hasGaps = false)
    {
        var client = await SocketClient.ConnectAsync(port, $"subscriber-{Guid.NewGuid():N}", receiveBuffer: receiveBuffer);
        await client.SubscribeAsync(filter, qos);
        return new(client, hasGaps);
    }

    public void Start() => _receiving = ReceiveAsync();

    /// <summary>Waits until as many messages have come, and fails when more have.</summary>
    public async Task ReceiveAllAsync(long total, TimeSpan limit)
    {
        Volatile.Write(ref _total, total);

        // The answer wakes the receiver, in case the last message was there already.
        await client.SendPingAsync();
        try
        {
            await _receiving!.WaitAsync(limit);
        }
        catch (TimeoutException)
        {
            Assert.Fail($"{Received} of {total} messages arrived within {limit}.");
        }

        await client.PingAsync(limit);
        Assert.Equal(total, Received);
    }

    public ValueTask DisposeAsync() => client.DisposeAsync();

    private async Task ReceiveAsync()
    {
        var hasTotal = false;
        while (!hasTotal || Received < Volatile.Read(ref _total))
        {
            if (await client.ReceiveAsync() is not var (topic, payload))
            {
                hasTotal = true;
                continue;
            }

            Assert.True(Utf8Parser.TryParse(payload, out long number, out _));
            var expected = _next.GetValueOrDefault(topic);
            if (hasGaps ? number < expected : number != expected)
            {
                Assert.Fail($"On {topic} came {number} instead of {expected}.");
            }

            _next[topic] = number + 1;
            Volatile.Write(ref _received, _received + 1);
        }
    }
}
