using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Threading.Channels;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Hosting;
using Orleans.Streams;
using Orleans.Streams.Core;
using OrleansMqtt.Log;
using OrleansMqtt.TestKit;
using Xunit;

namespace OrleansMqtt.Streams.Kafka.Tests;

/// <summary>The provider in a real silo, on both logs.</summary>
public sealed class LogStreamTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData("Embedded")]
    [InlineData("Kafka")]
    public async Task Every_record_reaches_the_consumer_once_and_in_order_and_batches_join(string kind)
    {
        await using var silo = await TestSilo.StartAsync(kind);
        var consumer = await silo.ConsumerAsync(partition: 0);
        silo.Append(0, 0, 5_000);
        var received = await consumer.ReceiveAsync(5_000);
        Assert.Equal(Enumerable.Range(0, 5_000), received);
        Assert.True(consumer.BatchesJoin);
    }

    [Theory]
    [InlineData("Embedded")]
    [InlineData("Kafka")]
    public async Task A_single_record_does_not_wait_for_a_timer(string kind)
    {
        await using var silo = await TestSilo.StartAsync(kind);
        var consumer = await silo.ConsumerAsync(partition: 1);
        silo.Append(1, 0, 1);
        await consumer.ReceiveAsync(1);
        List<double> milliseconds = [];
        for (var i = 1; i <= 20; i++)
        {
            var startedAt = Stopwatch.GetTimestamp();
            silo.Append(1, i, 1);
            Assert.Equal([i], await consumer.ReceiveAsync(1));
            milliseconds.Add(Stopwatch.GetElapsedTime(startedAt).TotalMilliseconds);
        }

        Assert.InRange(milliseconds.Order().ElementAt(10), 0, 100);
    }

    [Theory]
    [InlineData("Embedded")]
    [InlineData("Kafka")]
    public async Task A_consumer_that_starts_again_goes_on_from_the_token_it_names(string kind)
    {
        await using var silo = await TestSilo.StartAsync(kind);
        var consumer = await silo.ConsumerAsync(partition: 0);
        silo.Append(0, 0, 100);
        await consumer.ReceiveAsync(100);

        consumer.StartAt = 40;
        await silo.Grains.GetGrain<IConsumerGrain>($"{silo.Topic}/0").Leave();
        Assert.Equal(Enumerable.Range(40, 60), await consumer.ReceiveAsync(60));
        silo.Append(0, 100, 10);
        Assert.Equal(Enumerable.Range(100, 10), await consumer.ReceiveAsync(10));
    }

    [Theory]
    [InlineData("Embedded")]
    [InlineData("Kafka")]
    public async Task A_consumer_that_throws_gets_the_same_batch_again(string kind)
    {
        await using var silo = await TestSilo.StartAsync(kind);
        var consumer = await silo.ConsumerAsync(partition: 0);
        consumer.Failures = 3;
        silo.Append(0, 0, 50);
        Assert.Equal(Enumerable.Range(0, 50), await consumer.ReceiveAsync(50));
        Assert.Equal(0, consumer.Failures);
    }

    private sealed class TestSilo(IHost host, string topic, string? directory) : IAsyncDisposable
    {
        private readonly IMessageLog _log = host.Services.GetRequiredService<IMessageLog>();

        public string Topic { get; } = topic;

        public IGrainFactory Grains { get; } = host.Services.GetRequiredService<IGrainFactory>();

        public static async Task<TestSilo> StartAsync(string kind)
        {
            var topic = $"t{Guid.NewGuid():N}";
            var directory = kind == "Embedded" ? Directory.CreateTempSubdirectory("orleansmqtt-streams-").FullName : null;
            Dictionary<string, string?> settings = directory is not null
                ? new() { ["Embedded:Directory"] = directory }
                : new() { ["Kafka:BootstrapServers"] = (await KafkaBroker.SharedAsync()).BootstrapServers };
            var builder = Host.CreateApplicationBuilder();
            builder.Services.AddMessageLog(new ConfigurationBuilder().AddInMemoryCollection(settings).Build());
            builder.UseOrleans(silo => silo
                .UseLocalhostClustering(TestPorts.Free(), gatewayPort: 0)
                .AddLogStreams("log", options => options.Topics.Add(topic)));
            var host = builder.Build();
            await host.Services.GetRequiredService<IMessageLog>().EnsureTopicsAsync([new(topic, 2, IsCompacted: false)], CancellationToken.None);
            await host.StartAsync();
            return new(host, topic, directory);
        }

        public async Task<Consumer> ConsumerAsync(int partition)
        {
            var consumer = Consumer.Of($"{Topic}/{partition}");
            await consumer.Subscribed.WaitAsync(Limit);
            return consumer;
        }

        public void Append(int partition, int first, int count)
        {
            for (var i = first; i < first + count; i++)
            {
                _log.Append(
                    Topic,
                    new() { Key = "k"u8.ToArray(), Value = Encoding.UTF8.GetBytes(i.ToString(CultureInfo.InvariantCulture)), Headers = [], Partition = partition },
                    Ignored.Instance,
                    0);
            }
        }

        public async ValueTask DisposeAsync()
        {
            await host.StopAsync();
            await ((IAsyncDisposable)host).DisposeAsync();
            if (directory is not null)
            {
                Directory.Delete(directory, recursive: true);
            }
        }
    }

    private sealed class Ignored : IAppendCompletion
    {
        public static readonly Ignored Instance = new();

        public void OnAppended(long state, in AppendResult result)
        {
        }
    }
}

/// <summary>What the consumer of one stream has got.</summary>
public sealed class Consumer
{
    private static readonly ConcurrentDictionary<string, Consumer> All = new();
    private readonly Channel<int> _received = Channel.CreateUnbounded<int>();
    private readonly TaskCompletionSource _subscribed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _next = -1;

    public Task Subscribed => _subscribed.Task;

    public long StartAt { get; set; }

    public int Failures { get; set; }

    public bool BatchesJoin { get; private set; } = true;

    public static Consumer Of(string stream) => All.GetOrAdd(stream, _ => new());

    public async Task<List<int>> ReceiveAsync(int count)
    {
        using CancellationTokenSource timeout = new(TimeSpan.FromSeconds(30));
        List<int> values = new(count);
        while (values.Count < count)
        {
            values.Add(await _received.Reader.ReadAsync(timeout.Token));
        }

        return values;
    }

    internal void Start()
    {
        _next = -1;
        _subscribed.TrySetResult();
    }

    internal void Take(LogBatch batch)
    {
        if (Failures > 0)
        {
            Failures--;
            throw new InvalidOperationException("Not yet.");
        }

        BatchesJoin &= _next < 0 || _next == batch.From;
        _next = batch.To;
        foreach (var record in batch.Records.Where(record => record.Offset >= StartAt))
        {
            _received.Writer.TryWrite(int.Parse(Encoding.UTF8.GetString(record.Value!.Value.Span), CultureInfo.InvariantCulture));
        }
    }
}

/// <summary>Consumes the stream of one partition.</summary>
public interface IConsumerGrain : IGrainWithStringKey
{
    /// <summary>Deactivates, so that it starts again.</summary>
    Task Leave();
}

[ImplicitStreamSubscription("messages"), PartitionPlacement]
internal sealed class ConsumerGrain : Grain, IConsumerGrain, IStreamSubscriptionObserver, IAsyncObserver<LogBatch>
{
    private Consumer Consumer => Consumer.Of(this.GetPrimaryKeyString());

    public Task Leave()
    {
        DeactivateOnIdle();
        return Task.CompletedTask;
    }

    public async Task OnSubscribed(IStreamSubscriptionHandleFactory handleFactory)
    {
        await handleFactory.Create<LogBatch>().ResumeAsync(this, new LogOffsetToken(Consumer.StartAt));
        Consumer.Start();
    }

    public Task OnNextAsync(LogBatch item, StreamSequenceToken? token = null)
    {
        Consumer.Take(item);
        return Task.CompletedTask;
    }

    public Task OnErrorAsync(Exception ex) => Task.CompletedTask;
}
