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
    public async Task What_is_appended_while_Kafka_is_frozen_or_stopped_is_stored_in_order_once_afterwards()
    {
        await using var broker = await KafkaBroker.StartOwnAsync();
        await using var services = Open(SettingsFor(broker));
        var log = services.GetRequiredService<IMessageLog>();
        await log.EnsureTopicsAsync([new(Topic, 1, IsCompacted: false)], Token);
        await using var reader = log.OpenReader(Topic, 0, 0);
        await using var owner = await log.OpenOwnerAsync(Topic, Token);
        Completions completions = new(3_000);
        AppendThousand(0);
        await broker.PauseAsync();
        AppendThousand(1);
        await UntilAsync(() => !log.Health.IsReachable);
        await broker.ResumeAsync();
        await UntilAsync(() => log.Health.IsReachable);
        await broker.StopAsync();
        AppendThousand(2);
        await UntilAsync(() => !log.Health.IsReachable);
        Assert.False(completions.All.IsCompleted);
        var offsets = log.GetOffsetsAsync([new(Topic, 0)], CancellationToken.None);
        var transaction = owner.AppendTransactionAsync([new(Topic, Record("x", "transaction"))], CancellationToken.None);
        await broker.StartAgainAsync();

        Assert.All(await completions.All.WaitAsync(TimeSpan.FromSeconds(90)), result => Assert.True(result.IsStored, result.Error));
        await offsets.WaitAsync(TimeSpan.FromSeconds(90));
        await transaction.WaitAsync(TimeSpan.FromSeconds(90));
        await UntilAsync(() => log.Health.IsReachable);
        List<string> values = [];
        while (values.Count < 3_001)
        {
            values.AddRange(Values([await reader.ReadAsync(1_000, Token)]));
        }

        Assert.True(values.Remove("transaction"));
        Assert.Equal(Enumerable.Range(0, 3_000).Select(i => $"{i}"), values);

        void AppendThousand(int round)
        {
            for (var i = round * 1_000; i < (round + 1) * 1_000; i++)
            {
                log.Append(Topic, Record("x", $"{i}"), completions, i);
            }
        }
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

    [Fact]
    public async Task A_transaction_waits_for_Kafka_longer_than_any_of_its_time_limits()
    {
        await using var broker = await KafkaBroker.StartOwnAsync();
        await using var services = Open(new() { ["Kafka:BootstrapServers"] = broker.BootstrapServers });
        var log = services.GetRequiredService<IMessageLog>();
        await log.EnsureTopicsAsync([new(Topic, 1, IsCompacted: false)], Token);
        await using var owner = await log.OpenOwnerAsync(Topic, Token);
        await owner.AppendTransactionAsync([new(Topic, Record("x", "before"))], Token);
        await broker.StopAsync();
        var transaction = owner.AppendTransactionAsync([new(Topic, Record("x", "while away")), new(Topic, Record("y", "both"))], CancellationToken.None);

        // Past the limits of a message and of a transaction, 10 s each.
        await Assert.ThrowsAsync<TimeoutException>(() => transaction.WaitAsync(TimeSpan.FromSeconds(25)));
        await broker.StartAgainAsync();
        await transaction.WaitAsync(TimeSpan.FromSeconds(60));
        await owner.AppendTransactionAsync([new(Topic, Record("x", "after"))], CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(60));
        var batch = await log.ReadRangeAsync(Topic, 0, 0, 100, Token);
        Assert.Equal(["before", "while away", "both", "after"], Values([batch]));
    }

    [Fact]
    public async Task An_owner_is_given_up_while_Kafka_is_away()
    {
        await using var broker = await KafkaBroker.StartOwnAsync();
        await using var services = Open(new() { ["Kafka:BootstrapServers"] = broker.BootstrapServers });
        var log = services.GetRequiredService<IMessageLog>();
        await log.EnsureTopicsAsync([new(Topic, 1, IsCompacted: false)], Token);
        var owner = await log.OpenOwnerAsync(Topic, Token);
        await broker.StopAsync();
        var transaction = owner.AppendTransactionAsync([new(Topic, Record("x", "never"))], CancellationToken.None);
        await owner.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => transaction);
    }

    protected override async Task<Dictionary<string, string?>> SettingsAsync() =>
        SettingsFor(await KafkaBroker.SharedAsync());

    protected Dictionary<string, string?> SettingsFor(KafkaBroker broker) => new() { ["Kafka:BootstrapServers"] = broker.BootstrapServers, ["Kafka:Transport"] = transport };

    protected static async Task UntilAsync(Func<bool> condition)
    {
        var deadline = DateTime.UtcNow.AddSeconds(60);
        while (!condition())
        {
            Assert.True(DateTime.UtcNow < deadline, "It did not come true.");
            await Task.Delay(20);
        }
    }
}
