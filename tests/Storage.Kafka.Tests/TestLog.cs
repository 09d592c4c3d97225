using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using OrleansMqtt.Log;
using OrleansMqtt.TestKit;

namespace OrleansMqtt.Storage.Kafka.Tests;

/// <summary>A log with topics of its own, whose transactions are seen and can be held up.</summary>
internal sealed class TestLog : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private readonly ServiceProvider _services;
    private readonly string? _directory;

    private TestLog(ServiceProvider services, string? directory)
    {
        (_services, _directory) = (services, directory);
        Log = new(services.GetRequiredService<IMessageLog>());
    }

    public ObservedLog Log { get; }

    /// <summary>The compacted topic.</summary>
    public string Topic { get; } = $"t{Guid.NewGuid():N}";

    /// <summary>A topic of messages.</summary>
    public string Messages => Topic + "-messages";

    public string Owner => Topic + "-owner";

    public static CancellationToken Token => new CancellationTokenSource(Limit).Token;

    public static async Task<TestLog> CreateAsync(string kind, int partitions = 1, KafkaBroker? broker = null)
    {
        var directory = kind == "Embedded" ? Directory.CreateTempSubdirectory("orleansmqtt-storage-").FullName : null;
        Dictionary<string, string?> settings = directory is not null
            ? new() { ["Embedded:Directory"] = directory }
            : new() { ["Kafka:BootstrapServers"] = (broker ?? await KafkaBroker.SharedAsync()).BootstrapServers };
        ServiceCollection services = new();
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Warning));
        services.AddMessageLog(new ConfigurationBuilder().AddInMemoryCollection(settings).Build());
        TestLog log = new(services.BuildServiceProvider(), directory);
        await log.Log.EnsureTopicsAsync([new(log.Topic, partitions, IsCompacted: true), new(log.Messages, partitions, IsCompacted: false)], CancellationToken.None);
        return log;
    }

    public Task<PartitionStore> OpenAsync(Action<StoreEntry>? load = null, int partition = 0) =>
        PartitionStore.OpenAsync(Log, new(Topic, partition), Owner, load ?? (_ => { }), NullLogger.Instance, Token);

    /// <summary>All records that the log holds.</summary>
    public async Task<List<StoredRecord>> ReadAsync(string topic, int partition = 0)
    {
        var (position, end) = (await Log.GetOffsetsAsync([new(topic, partition)], Token))[0];
        List<StoredRecord> records = [];
        while (position < end)
        {
            var batch = await Log.ReadRangeAsync(topic, partition, position, 10_000, Token);
            records.AddRange(batch.Records);
            position = batch.To;
        }

        return records;
    }

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        if (_directory is not null)
        {
            Directory.Delete(_directory, recursive: true);
        }
    }
}
