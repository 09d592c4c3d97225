using System.Diagnostics;
using System.Diagnostics.Metrics;
using Xunit;

namespace OrleansMqtt.Streams.Kafka.Tests;

/// <summary>The provider in a real silo, on both logs.</summary>
public sealed class LogStreamTests
{
    [Theory]
    [InlineData("Embedded")]
    [InlineData("Kafka")]
    public async Task Every_record_reaches_the_consumer_once_and_in_order_and_batches_join(string kind)
    {
        await using var log = await TestLog.CreateAsync(kind, partitions: 3);
        await using var silo = await TestSilo.StartAsync(log);
        var partitions = Enumerable.Range(0, 3).ToArray();
        var consumers = await Task.WhenAll(partitions.Select(silo.ConsumerAsync));
        for (var first = 0; first < 5_000; first += 100)
        {
            foreach (var partition in partitions)
            {
                _ = log.AppendAsync(partition, first, 100);
            }
        }

        foreach (var consumer in consumers)
        {
            Assert.Equal(Enumerable.Range(0, 5_000), await consumer.ReceiveAsync(5_000));
            Assert.True(consumer.BatchesJoin);
        }
    }

    [Theory]
    [InlineData("Embedded")]
    [InlineData("Kafka")]
    public async Task A_single_record_does_not_wait_for_a_timer(string kind)
    {
        await using var log = await TestLog.CreateAsync(kind, partitions: 1);
        await using var silo = await TestSilo.StartAsync(log);
        var consumer = await silo.ConsumerAsync(0);
        _ = log.AppendAsync(0, 0, 1);
        await consumer.ReceiveAsync(1);
        List<double> milliseconds = [];
        for (var i = 1; i <= 51; i++)
        {
            var startedAt = Stopwatch.GetTimestamp();
            _ = log.AppendAsync(0, i, 1);
            Assert.Equal([i], await consumer.ReceiveAsync(1));
            milliseconds.Add(Stopwatch.GetElapsedTime(startedAt).TotalMilliseconds);
        }

        var median = milliseconds.Order().ElementAt(25);
        TestContext.Current.TestOutputHelper?.WriteLine($"{kind}: append to consumer {median:0.00} ms");
        Assert.InRange(median, 0, 50);
    }

    [Theory]
    [InlineData("Embedded")]
    [InlineData("Kafka")]
    public async Task A_consumer_that_starts_again_goes_on_from_the_older_offset_it_names(string kind)
    {
        await using var log = await TestLog.CreateAsync(kind, partitions: 1);
        await using var silo = await TestSilo.StartAsync(log);
        var consumer = await silo.ConsumerAsync(0);
        _ = log.AppendAsync(0, 0, 100);
        await consumer.ReceiveAsync(100);

        consumer.StartAt = 40;
        await silo.Grain(0).Leave();
        Assert.Equal(Enumerable.Range(40, 60), await consumer.ReceiveAsync(60));
        _ = log.AppendAsync(0, 100, 10);
        Assert.Equal(Enumerable.Range(100, 10), await consumer.ReceiveAsync(10));
        Assert.True(consumer.BatchesJoin);
    }

    [Theory]
    [InlineData("Embedded")]
    [InlineData("Kafka")]
    public async Task A_consumer_that_names_an_offset_beyond_what_is_read_ahead_gets_what_is_from_there_on(string kind)
    {
        await using var log = await TestLog.CreateAsync(kind, partitions: 1);
        await log.AppendAsync(0, 0, 100);
        TaskCompletionSource failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var consumer = Consumer.Of($"{log.Topic}/0");
        consumer.Before = batch =>
        {
            failed.TrySetResult();
            return batch.From < 90 ? throw new InvalidOperationException("Not this.") : Task.CompletedTask;
        };
        await using var silo = await TestSilo.StartAsync(log, options => (options.MaxBatchRecords, options.CacheRecords) = (10, 20));
        await failed.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);

        consumer.StartAt = 90;
        await silo.Grain(0).Leave();
        Assert.Equal(Enumerable.Range(90, 10), await consumer.ReceiveAsync(10));
        Assert.True(consumer.BatchesJoin);
    }

    [Theory]
    [InlineData("Embedded")]
    [InlineData("Kafka")]
    public async Task A_consumer_that_names_no_offset_gets_what_comes_after_it_subscribed(string kind)
    {
        await using var log = await TestLog.CreateAsync(kind, partitions: 1);
        await log.AppendAsync(0, 0, 10);
        Consumer.Of($"{log.Topic}/0").StartAt = null;
        await using var silo = await TestSilo.StartAsync(log);
        var consumer = await silo.ConsumerAsync(0);
        await log.AppendAsync(0, 10, 10);
        Assert.Equal(Enumerable.Range(10, 10), await consumer.ReceiveAsync(10));
    }

    [Theory]
    [InlineData("Embedded")]
    [InlineData("Kafka")]
    public async Task A_consumer_that_is_deactivated_under_load_goes_on_without_gap_or_repetition(string kind)
    {
        await using var log = await TestLog.CreateAsync(kind, partitions: 1);
        await using var silo = await TestSilo.StartAsync(log, options => options.MaxBatchRecords = 50);
        var consumer = await silo.ConsumerAsync(0);
        consumer.Continues = true;
        for (var round = 0; round < 10; round++)
        {
            _ = log.AppendAsync(0, round * 500, 500);
            await silo.Grain(0).Leave();
        }

        Assert.Equal(Enumerable.Range(0, 5_000), await consumer.ReceiveAsync(5_000));
        Assert.True(consumer.BatchesJoin);
    }

    [Theory]
    [InlineData("Embedded")]
    [InlineData("Kafka")]
    public async Task A_consumer_that_throws_gets_the_same_batch_again(string kind)
    {
        await using var log = await TestLog.CreateAsync(kind, partitions: 1);
        await using var silo = await TestSilo.StartAsync(log);
        var consumer = await silo.ConsumerAsync(0);
        consumer.Failures = 3;
        _ = log.AppendAsync(0, 0, 50);
        Assert.Equal(Enumerable.Range(0, 50), await consumer.ReceiveAsync(50));
        Assert.Equal(0, consumer.Failures);
        Assert.True(consumer.BatchesJoin);
    }

    [Theory]
    [InlineData("Embedded")]
    [InlineData("Kafka")]
    public async Task A_slow_consumer_stops_the_reading_and_loses_nothing(string kind)
    {
        await using var log = await TestLog.CreateAsync(kind, partitions: 1);
        using RecordsRead read = new(log.Topic);
        long taken = 0, ahead = 0;
        TaskCompletionSource gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var consumer = Consumer.Of($"{log.Topic}/0");
        consumer.Before = async batch =>
        {
            await gate.Task;
            ahead = Math.Max(ahead, read.Count - taken);
            taken += batch.Records.Length;
        };
        await using var silo = await TestSilo.StartAsync(log, options => (options.MaxBatchRecords, options.CacheRecords) = (50, 200));
        await log.AppendAsync(0, 0, 5_000);
        await read.WaitForAsync(200);
        gate.SetResult();
        Assert.Equal(Enumerable.Range(0, 5_000), await consumer.ReceiveAsync(5_000));
        Assert.InRange(ahead, 51, 200);
    }

    [Fact]
    public async Task What_retention_removed_is_counted_and_shows_as_a_batch_that_starts_later()
    {
        await using var log = await TestLog.CreateAsync(
            "Embedded", partitions: 1, new() { ["Embedded:RetentionBytes"] = "1", ["Embedded:RetentionCheckSeconds"] = "0.05", ["Embedded:RecentBytes"] = "1" });
        await log.AppendAsync(0, 0, 100);
        await log.AppendAsync(0, 100, 1);
        await Until(async () => (await log.GetOffsetsAsync(0)).Start == 100);
        await using var silo = await TestSilo.StartAsync(log);
        var consumer = Consumer.Of($"{log.Topic}/0");
        Assert.Equal([100], await consumer.ReceiveAsync(1));
        Assert.Equal(100, consumer.FirstFrom);
    }

    [Theory]
    [InlineData("Embedded")]
    [InlineData("Kafka")]
    public async Task An_offset_beyond_the_end_becomes_the_end(string kind)
    {
        await using var log = await TestLog.CreateAsync(kind, partitions: 1);
        await log.AppendAsync(0, 0, 10);
        using RecordsRead skipped = new(log.Topic, "orleansmqtt.streams.offsets.skipped");
        var consumer = Consumer.Of($"{log.Topic}/0");
        consumer.StartAt = 1_000;
        await using var silo = await TestSilo.StartAsync(log);
        await skipped.WaitForAsync(990);
        await log.AppendAsync(0, 10, 10);
        Assert.Equal(Enumerable.Range(10, 10), await consumer.ReceiveAsync(10));
    }

    internal static async Task Until(Func<Task<bool>> condition)
    {
        using CancellationTokenSource timeout = new(TimeSpan.FromSeconds(30));
        while (!await condition())
        {
            await Task.Delay(20, timeout.Token);
        }
    }

    /// <summary>Follows a counter of the provider for one topic.</summary>
    private sealed class RecordsRead : IDisposable
    {
        private readonly MeterListener _listener = new();
        private long _count;

        public RecordsRead(string topic, string counter = "orleansmqtt.streams.records.read")
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == counter)
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            };
            _listener.SetMeasurementEventCallback<long>((_, count, tags, _) =>
            {
                foreach (var tag in tags)
                {
                    if (tag.Value is string value && value == topic)
                    {
                        Interlocked.Add(ref _count, count);
                    }
                }
            });
            _listener.Start();
        }

        public long Count => Interlocked.Read(ref _count);

        public Task WaitForAsync(long count) => Until(() => Task.FromResult(Count >= count));

        public void Dispose() => _listener.Dispose();
    }
}
