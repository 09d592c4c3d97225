using OrleansMqtt.TestKit;
using Xunit;

namespace OrleansMqtt.Silo.Tests;

/// <summary>A client that does not read costs references, and nobody else anything.</summary>
public sealed class SlowSubscriberTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    [Theory]
    [InlineData("Embedded")]
    [InlineData("Kafka")]
    public async Task A_subscriber_that_does_not_read_gets_everything_in_order_later_and_others_get_it_at_once(string kind)
    {
        // Far more than what is kept in memory for those that are only a little slow: the rest is read back from the log.
        const int Count = 12_000;
        using var log = await TestLog.CreateAsync(kind);
        await using var server = await MqttServer.StartAsync(log.Settings);
        await using var slow = await SequenceSubscriber.ConnectAsync(server.Port, "t", receiveBuffer: 8_192);
        await using var fast = await SequenceSubscriber.ConnectAsync(server.Port, "t");
        fast.Start();
        await PublishAsync(server, Count, payloadLength: 300);
        await fast.ReceiveAllAsync(Count, Limit);
        Assert.Equal(0, slow.Received);
        Assert.InRange(await Until.ReadMetricAsync(server, "orleansmqtt_session_queued_total"), Count - 256, double.MaxValue);

        slow.Start();
        await slow.ReceiveAllAsync(Count, Limit);
        Assert.Equal(0, await Until.ReadMetricAsync(server, "orleansmqtt_session_dropped_total"));
    }

    [Fact]
    public async Task Messages_beyond_a_full_mailbox_are_dropped_and_counted_and_that_is_logged_once()
    {
        const int Count = 3_000;
        const int Inflight = 50;
        const int Queued = 1_000;
        using var log = await TestLog.CreateAsync("Embedded");
        log.Settings["Sessions__MaximumInflight"] = $"{Inflight}";
        log.Settings["Sessions__MaximumQueuedMessages"] = $"{Queued}";
        await using var server = await MqttServer.StartAsync(log.Settings);
        await using var slow = await SequenceSubscriber.ConnectAsync(server.Port, "t");
        await PublishAsync(server, Count, payloadLength: 100);
        await Until.MetricAsync(server, "orleansmqtt_session_dropped_total", "reason=\"mailbox_full\"", Count - Inflight - Queued);
        Assert.Single(server.Process.Lines, line => line.Contains($"is full with {Queued} messages", StringComparison.Ordinal));

        // What was there before is delivered, without a gap.
        slow.Start();
        await slow.ReceiveAllAsync(Inflight + Queued, Limit);
    }

    [Fact]
    public async Task A_QoS_0_subscriber_that_does_not_read_loses_messages_of_its_own_only_and_they_are_counted()
    {
        const int Count = 20_000;
        using var log = await TestLog.CreateAsync("Embedded");
        log.Settings["Mqtt__ConnectionOutboundBytes"] = "65536";
        await using var server = await MqttServer.StartAsync(log.Settings);
        await using var slow = await SequenceSubscriber.ConnectAsync(server.Port, "t", qos: 0, receiveBuffer: 8_192, hasGaps: true);
        await using var fast = await SequenceSubscriber.ConnectAsync(server.Port, "t");
        fast.Start();
        await PublishAsync(server, Count, payloadLength: 1_000);
        await fast.ReceiveAllAsync(Count, Limit);
        Assert.Equal(0, slow.Received);

        slow.Start();
        var dropped = double.NaN;
        await Until.TrueAsync(
            async () =>
            {
                dropped = await Until.ReadMetricAsync(server, "mqtt_publishes_dropped_total", "reason=\"slow-client\"")
                    + await Until.ReadMetricAsync(server, "orleansmqtt_session_dropped_total", "reason=\"connection_slow\"");
                return slow.Received + dropped == Count;
            },
            () => $"{slow.Received} received and {dropped} dropped of {Count}.");
        Assert.InRange(dropped, 1, Count - 1);
    }

    [Fact]
    public async Task Publishers_that_are_faster_than_a_group_whose_members_are_quick_wait_for_it_and_nothing_is_dropped()
    {
        const int Count = 500_000;
        using var log = await TestLog.CreateAsync("Embedded");
        log.Settings["Sessions__MaximumQueuedSharedMessages"] = "200000";
        await using var server = await MqttServer.StartAsync(log.Settings);
        await using var first = await SequenceSubscriber.ConnectAsync(server.Port, "$share/g/t", hasGaps: true);
        await using var second = await SequenceSubscriber.ConnectAsync(server.Port, "$share/g/t", hasGaps: true);
        first.Start();
        second.Start();
        await using var publisher = await SequencePublisher.ConnectAsync(server.Port, "t", payloadLength: 100, window: SequencePublisher.Flood);
        await publisher.RunAsync(Count, CancellationToken.None).WaitAsync(Limit);
        var dropped = double.NaN;
        await Until.TrueAsync(
            async () =>
            {
                dropped = await Until.ReadMetricAsync(server, "orleansmqtt_session_dropped_total");
                return first.Received + second.Received + dropped == Count;
            },
            () => $"{first.Received} and {second.Received} received and {dropped} dropped of {Count}.");
        Assert.Equal(0, dropped);
    }

    private static async Task PublishAsync(MqttServer server, int count, int payloadLength)
    {
        await using var publisher = await SequencePublisher.ConnectAsync(server.Port, "t", payloadLength, window: 500);
        await publisher.RunAsync(count, CancellationToken.None).WaitAsync(Limit);
    }
}
