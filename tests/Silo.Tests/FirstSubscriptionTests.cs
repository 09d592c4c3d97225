using OrleansMqtt.TestKit;
using Xunit;

namespace OrleansMqtt.Silo.Tests;

/// <summary>A server to which much was published before anybody subscribed.</summary>
public sealed class FirstSubscriptionTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    [Theory]
    [InlineData("Embedded")]
    [InlineData("Kafka")]
    public async Task The_first_subscription_of_a_partition_reads_nothing_of_what_was_published_before(string kind)
    {
        const int Count = 5_000;
        using var log = await TestLog.CreateAsync(kind);
        log.Settings["Topics__Sessions__Partitions"] = "1";
        await using var server = await MqttServer.StartAsync(log.Settings);
        await using (var publisher = await SequencePublisher.ConnectAsync(server.Port, "t", payloadLength: 100, window: 1_000))
        {
            await publisher.RunAsync(Count, CancellationToken.None).WaitAsync(Limit);
            await using var busy = await SequencePublisher.ConnectAsync(server.Port, "t/busy", payloadLength: 100, window: 1_000);
            using CancellationTokenSource stop = new();
            var load = busy.RunAsync(long.MaxValue, stop.Token);
            await Until.TrueAsync(() => Task.FromResult(busy.Acknowledged > Count), () => $"{busy.Acknowledged} acknowledged");
            await using var first = await TestClient.ConnectAsync(server.Port);
            await first.SubscribeAsync("t/#");
            await first.ReceiveAsync();
            await using var subscriber = await SequenceSubscriber.ConnectAsync(server.Port, "t");
            subscriber.Start();
            await stop.CancelAsync();
            await load.WaitAsync(Limit);
            await using var second = await SequencePublisher.ConnectAsync(server.Port, "t", payloadLength: 100, window: 1_000);
            await second.RunAsync(Count, CancellationToken.None).WaitAsync(Limit);
            await subscriber.ReceiveAllAsync(Count, Limit);
        }

        Assert.Equal(0, await Until.ReadMetricAsync(server, "orleansmqtt_session_partition_caught_up_total"));
    }
}
