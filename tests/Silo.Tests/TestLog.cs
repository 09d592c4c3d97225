using System.Text;
using Confluent.Kafka;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using OrleansMqtt.Log;
using OrleansMqtt.TestKit;

namespace OrleansMqtt.Silo.Tests;

/// <summary>The settings of one log with topics of its own, for a server and for reading what it wrote.</summary>
public sealed class TestLog : IDisposable
{
    private readonly string? _directory;

    private TestLog(Dictionary<string, string> settings, string? directory = null) => (Settings, _directory) = (settings, directory);

    public Dictionary<string, string> Settings { get; }

    public string MessagesTopic => Settings["Topics__Messages__Name"];

    public string RetainedTopic => Settings["Topics__Retained__Name"];

    public static async Task<TestLog> CreateAsync(string kind) =>
        kind == "Kafka" ? OnKafka((await KafkaBroker.SharedAsync()).BootstrapServers) : OnEmbedded(Directory.CreateTempSubdirectory("orleansmqtt-log-").FullName);

    public static TestLog OnKafka(string bootstrapServers) =>
        new(new(Topics()) { ["Log__Kind"] = "Kafka", ["Log__Kafka__BootstrapServers"] = bootstrapServers, ["Log__Kafka__TransactionalIdPrefix"] = $"{Guid.NewGuid():N}-" });

    /// <summary>All records of the messages topic; on the embedded log only after the server has ended.</summary>
    public async Task<List<StoredRecord>> ReadAllAsync(string? topic = null) => [.. (await ReadPartitionsAsync(topic)).Select(entry => entry.Record)];

    /// <summary>All records of a topic of four partitions, each with its partition; on the embedded log only after the server has ended.</summary>
    public async Task<List<(int Partition, StoredRecord Record)>> ReadPartitionsAsync(string? topic = null)
    {
        topic ??= MessagesTopic;
        await using var services = CreateServices();
        var log = services.GetRequiredService<IMessageLog>();
        await log.EnsureTopicsAsync([new(topic, 4, IsCompacted: topic == RetainedTopic)], CancellationToken.None);
        List<(int, StoredRecord)> records = [];
        for (var partition = 0; partition < 4; partition++)
        {
            var end = (await log.GetOffsetsAsync([new(topic, partition)], CancellationToken.None))[0].End;
            for (long position = 0; position < end;)
            {
                var batch = await log.ReadRangeAsync(topic, partition, position, 10_000, CancellationToken.None);
                records.AddRange(batch.Records.Select(record => (partition, record)));
                position = batch.To;
            }
        }

        return records;
    }

    /// <summary>Writes to a partition 0 as another program would; on the embedded log only while no server runs.</summary>
    public async Task AppendAsync(string topic, IReadOnlyList<LogRecord> records)
    {
        await using var services = CreateServices();
        var log = services.GetRequiredService<IMessageLog>();
        await log.EnsureTopicsAsync([new(topic, 1, IsCompacted: topic != MessagesTopic)], CancellationToken.None);
        await using var owner = await log.OpenOwnerAsync($"{Guid.NewGuid():N}", CancellationToken.None);
        await owner.AppendTransactionAsync([.. records.Select(record => new TopicRecord(topic, record))], CancellationToken.None);
    }

    /// <summary>Becomes the owner of a session partition and ends at once, as another server would: what this one's server writes there from then on is refused.</summary>
    public async Task FenceAsync(int sessionPartition)
    {
        await using var services = CreateServices();
        await using var owner = await services.GetRequiredService<IMessageLog>().OpenOwnerAsync($"{Settings["Topics__Sessions__Name"]}-{sessionPartition}", CancellationToken.None);
    }

    /// <summary>Waits until the only partition of the sessions topic of a Kafka has a record whose key begins so.</summary>
    public async Task WaitForSessionRecordAsync(string key)
    {
        await using var services = CreateServices();
        var log = services.GetRequiredService<IMessageLog>();
        var topic = Settings["Topics__Sessions__Name"];
        await log.EnsureTopicsAsync([new(topic, 1, IsCompacted: true)], CancellationToken.None);
        using CancellationTokenSource limit = new(TestClient.Limit);
        await using var reader = log.OpenReader(topic, 0, 0);
        while (!(await reader.ReadAsync(1_000, limit.Token)).Records.Any(record => record.Key is { } found && Encoding.UTF8.GetString(found.Span).StartsWith(key, StringComparison.Ordinal)))
        {
        }
    }

    /// <summary>Deletes the topic of messages of a Kafka and makes it anew, empty.</summary>
    public async Task MakeMessagesAnewAsync()
    {
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = Settings["Log__Kafka__BootstrapServers"] }).Build();
        await admin.DeleteTopicsAsync([MessagesTopic], new() { OperationTimeout = TimeSpan.FromSeconds(30) });
        await using var services = CreateServices();
        await services.GetRequiredService<IMessageLog>().EnsureTopicsAsync([new(MessagesTopic, 4, IsCompacted: false)], CancellationToken.None);
    }

    public void Dispose()
    {
        if (_directory is not null)
        {
            Directory.Delete(_directory, recursive: true);
        }
    }

    private ServiceProvider CreateServices() => new ServiceCollection()
        .AddLogging()
        .AddMessageLog(new ConfigurationBuilder().AddInMemoryCollection(Settings.ToDictionary(s => s.Key.Replace("__", ":", StringComparison.Ordinal), s => (string?)s.Value)).Build().GetSection("Log"))
        .BuildServiceProvider();

    private static TestLog OnEmbedded(string directory) => new(new(Topics()) { ["Log__Kind"] = "Embedded", ["Log__Embedded__Directory"] = directory }, directory);

    private static Dictionary<string, string> Topics()
    {
        var prefix = $"t{Guid.NewGuid():N}";
        return new()
        {
            ["Topics__Messages__Name"] = $"{prefix}-messages",
            ["Topics__Retained__Name"] = $"{prefix}-retained",
            ["Topics__Sessions__Name"] = $"{prefix}-sessions",
        };
    }
}
