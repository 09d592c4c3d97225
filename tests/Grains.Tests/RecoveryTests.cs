using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Orleans.Hosting;
using OrleansMqtt.Log;
using OrleansMqtt.Storage.Kafka;
using OrleansMqtt.Streams.Kafka;
using Xunit;

namespace OrleansMqtt.Grains.Tests;

/// <summary>How soon a new owner of a sessions partition serves its sessions.</summary>
[Collection(nameof(MeasuringCollection))]
public sealed class RecoveryTests : IAsyncDisposable
{
    private const int Sessions = 25_000;
    private const int Filters = 10;
    private const int SessionsOfTransaction = 1_000;
    private static readonly TimeSpan Promised = TimeSpan.FromSeconds(3);
    private static readonly ConnectionEpoch Epoch = new(1, 1);
    private static readonly TopicsOptions Topics = new() { Sessions = new() { Name = "sessions", Partitions = 1 } };
    private readonly EmbeddedTestLog _embedded = new();

    private IMessageLog Log => _embedded.Log;

    [Fact]
    public async Task A_partition_of_25_000_sessions_with_ten_subscriptions_each_is_loaded_within_3_seconds()
    {
        await Log.EnsureTopicsAsync(Topics.AllTopics(), CancellationToken.None);
        await StoreSessionsAsync();

        // The best of three: the first also compiles.
        List<(Usage Loaded, Usage Served)> runs = [];
        for (var i = 0; i < 3; i++)
        {
            runs.Add(await RecoverAsync());
        }

        TestContext.Current.TestOutputHelper!.WriteLine($"{Sessions} sessions with {Filters} subscriptions each: {string.Join(", ", runs)}");

        // Other programs may keep the processors from it, but it waits for nothing by itself. In a cluster the routers are on several silos, and here all are in this process.
        Assert.InRange(runs.Min(run => run.Loaded.Processor), TimeSpan.Zero, Promised);
        Assert.InRange(runs.Min(run => run.Served.Processor), TimeSpan.Zero, 2 * Promised);
        Assert.InRange(runs.Min(run => run.Served.Elapsed), TimeSpan.Zero, 10 * Promised);
    }

    public ValueTask DisposeAsync() => _embedded.DisposeAsync();

    private static string ClientOf(int session) => $"client-{session}";

    private static string FilterOf(int session, int filter) => $"load/{session}/{filter}";

    /// <summary>Writes them as their last owner did.</summary>
    private async Task StoreSessionsAsync()
    {
        await using var store = await PartitionStore.OpenAsync(Log, new("sessions", 0), "sessions-0", static _ => { }, NullLogger.Instance, CancellationToken.None);
        List<StoreRecord> records = [];
        var sources = Enumerable.Range(0, Topics.Messages.Partitions).ToArray();
        Add(SessionKeys.Positions, new PositionsRecord { Generation = 1, Sources = [.. sources.Select(source => new StoredPosition(new(Topics.Messages.Name, source), 0))] }.Encode());
        var offsets = Array.ConvertAll(sources, static source => new SourceOffset(source, 0));
        DeliveryRecord delivery = new() { LastPacketId = 7, Matched = offsets, Inflight = [], Received = [] };
        for (var session = 0; session < Sessions; session++)
        {
            SessionRecord record = new() { ExpirySeconds = uint.MaxValue, Epoch = Epoch, DisconnectedAt = 1 };
            record.Subscriptions.AddRange(Enumerable.Range(0, Filters).Select(filter => new StoredSubscription(new() { Filter = FilterOf(session, filter), MaximumQoS = 1 }, offsets)));
            Add(SessionKeys.Session(ClientOf(session)), SessionRecordCodec.Encode(record));
            Add(SessionKeys.Delivery(ClientOf(session)), delivery.Encode());
            if ((session + 1) % SessionsOfTransaction == 0)
            {
                await store.CommitAsync(records.ToArray());
                records.Clear();
            }
        }

        void Add(byte[] key, byte[] value) => records.Add(new("sessions", new() { Key = key, Value = value }));
    }

    /// <summary>What it takes from the first call, which finds no owner of the partition, until all is loaded; and until its clients are served and the routers have all filters.</summary>
    private async Task<(Usage Loaded, Usage Served)> RecoverAsync()
    {
        using var host = CreateSilo();
        await host.StartAsync();
        var owner = host.Services.GetRequiredService<IGrainFactory>().GetGrain<ISessionOwnerGrain>(0);
        var start = Usage.Now;
        await owner.Serve();
        var loaded = Usage.Now - start;
        Assert.NotNull(await owner.Subscribe(ClientOf(Sessions - 1), Epoch, [new() { Filter = "another", MaximumQoS = 1, RetainHandling = 2 }]));
        var served = Usage.Now - start;
        for (var session = 0; session < Sessions; session += 997)
        {
            var result = await owner.Unsubscribe(ClientOf(session), Epoch, [.. Enumerable.Range(0, Filters).Select(filter => FilterOf(session, filter)), "none"]);
            Assert.Equal([.. Enumerable.Repeat(true, Filters), false], result.Existed ?? []);
        }

        await host.StopAsync();
        return (loaded, served);
    }

    private IHost CreateSilo() => GrainSilo.Create(
        Log,
        static silo =>
        {
            silo.Configure<MemberOptions>(static options => options.HasEdge = false);

            // The call that is measured opens the partition.
            silo.Services.Remove(silo.Services.Single(static service => service.ImplementationType == typeof(SessionPartitionStarter)));
        },
        new("Topics:Sessions:Name", Topics.Sessions.Name),
        new("Topics:Sessions:Partitions", $"{Topics.Sessions.Partitions}"));

    /// <param name="Elapsed">Time.</param>
    /// <param name="Processor">Time of this process on all processors.</param>
    private readonly record struct Usage(TimeSpan Elapsed, TimeSpan Processor)
    {
        public static Usage Now => new(Stopwatch.GetElapsedTime(0), Environment.CpuUsage.TotalTime);

        public static Usage operator -(Usage left, Usage right) => new(left.Elapsed - right.Elapsed, left.Processor - right.Processor);

        public override string ToString() => $"{Elapsed.TotalSeconds:0.00} s ({Processor.TotalSeconds:0.00} s of processors)";
    }
}
