using Confluent.Kafka;
using Microsoft.Extensions.DependencyInjection;
using OrleansMqtt.TestKit;
using Xunit;

namespace OrleansMqtt.Log.Tests;

/// <summary>What the log on Kafka guarantees beyond the contract, whichever client carries the records.</summary>
public abstract class KafkaLogContract(string transport) : MessageLogContract
{
    [Fact]
    public async Task A_setting_that_guarantees_rest_on_is_refused()
    {
        await using var services = Open(new() { ["Kafka:BootstrapServers"] = "127.0.0.1:1", ["Kafka:Producer:acks"] = "1" });
        var exception = Assert.Throws<Microsoft.Extensions.Options.OptionsValidationException>(
            () => services.GetRequiredService<IMessageLog>());
        Assert.Contains("Log:Kafka:Producer:acks is '1'", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Aborted_transactions_are_not_read_and_leave_no_gap()
    {
        var broker = await KafkaBroker.SharedAsync();
        using var producer = new ProducerBuilder<string, string>(new ProducerConfig { BootstrapServers = broker.BootstrapServers, TransactionalId = Topic }).Build();
        producer.InitTransactions(TimeSpan.FromSeconds(30));
        await AppendAsync(Record("x", "before", partition: 0));
        producer.BeginTransaction();
        await producer.ProduceAsync(new TopicPartition(Topic, 0), new() { Key = "x", Value = "aborted" });
        producer.AbortTransaction();
        producer.BeginTransaction();
        await producer.ProduceAsync(new TopicPartition(Topic, 0), new() { Key = null!, Value = "committed" });
        producer.CommitTransaction();

        var batches = await ReadAsync(0, 0, 2);
        Assert.Equal(["before", "committed"], Values(batches));
        Assert.Null(batches.SelectMany(batch => batch.Records).Last().Key);
        Assert.All(batches.Zip(batches.Skip(1)), pair => Assert.Equal(pair.First.To, pair.Second.From));
        var end = (await Log.GetOffsetsAsync([new(Topic, 0)], Token))[0].End;
        Assert.Equal(5, end);
        var ranges = await Log.ReadRangeAsync(Topic, 0, 0, 100, Token);
        Assert.Equal(["before", "committed"], Values([ranges]));
        Assert.Equal(end, ranges.To);
    }

    [Fact]
    public async Task A_partition_that_does_not_exist_keeps_nobody_else_from_the_offsets()
    {
        using CancellationTokenSource cancelling = new();
        var missing = Log.GetOffsetsAsync([new(Topic + "-missing", 0)], cancelling.Token);
        var together = Log.GetOffsetsAsync([new(Topic, 0)], Token);
        Assert.Equal(new(0, 0), (await together)[0]);
        Assert.False(missing.IsCompleted);
        await cancelling.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => missing);
    }

    [Fact]
    public async Task More_replicas_than_brokers_stop_the_start_with_a_line_that_names_the_setting()
    {
        var settings = await SettingsAsync();
        settings["Kafka:ReplicationFactor"] = "3";
        await using var services = Open(settings);
        var log = services.GetRequiredService<IMessageLog>();
        var exception = await Assert.ThrowsAsync<LogConfigurationException>(() => log.EnsureTopicsAsync([new(Topic + "-replicated", 1, IsCompacted: false)], Token));
        Assert.Contains("Log:Kafka:ReplicationFactor is 3", exception.Message, StringComparison.Ordinal);
        var existing = await Assert.ThrowsAsync<LogConfigurationException>(() => log.EnsureTopicsAsync([new(Topic, 2, IsCompacted: false)], Token));
        Assert.Contains("replication factor 1", existing.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_record_that_Kafka_refuses_fails_its_transaction_at_once_and_not_the_next()
    {
        await using var owner = await Log.OpenOwnerAsync(Topic, Token);
        LogRecord large = new() { Key = "x"u8.ToArray(), Value = new byte[2 << 20], Headers = [], Partition = 0 };
        await Assert.ThrowsAsync<ArgumentException>(() => owner.AppendTransactionAsync([new(Topic, Record("x", "not alone", partition: 0)), new(Topic, large)], Token));
        await owner.AppendTransactionAsync([new(Topic, Record("x", "next", partition: 0))], Token);
        Assert.Equal(["next"], Values(await ReadAsync(0, 0, 1)));
    }

    protected override async Task<Dictionary<string, string?>> SettingsAsync() =>
        SettingsFor(await KafkaBroker.SharedAsync());

    protected Dictionary<string, string?> SettingsFor(KafkaBroker broker) => SettingsFor(broker, transport);
}
