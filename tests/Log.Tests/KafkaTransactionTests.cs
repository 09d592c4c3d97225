using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using OrleansMqtt.Log.Kafka;
using OrleansMqtt.Log.Kafka.Wire;
using OrleansMqtt.TestKit;
using Xunit;
using ErrorCode = Confluent.Kafka.ErrorCode;

namespace OrleansMqtt.Log.Tests;

/// <summary>A partition that has no leader when a transaction ends never gets its marker (KAFKA-20734).</summary>
public sealed class KafkaTransactionTests : LogTests
{
    private const string Owner = "owner";
    private const string TransactionalId = "orleansmqtt-owner";
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(20);

    private string OtherTopic => $"{Topic}-other";

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_transaction_ends_everywhere_as_it_ended_although_a_partition_had_no_leader(bool commits)
    {
        await using var first = await KafkaBroker.StartOwnAsync();
        await using var services = Open(SettingsFor(first, "Wire"));
        var log = services.GetRequiredService<IMessageLog>();

        // Makes the coordinators' topic, on this broker.
        await (await log.OpenOwnerAsync("before", Token)).DisposeAsync();
        await using var second = await first.JoinAsync();
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = first.BootstrapServers }).Build();
        await CreateAsync(admin, Topic, broker: 2);
        await CreateAsync(admin, OtherTopic, broker: 1);
        await log.EnsureTopicsAsync([new(Topic, 1, IsCompacted: false), new(OtherTopic, 1, IsCompacted: false)], Token);
        using var producer = new ProducerBuilder<byte[]?, byte[]?>(new ProducerConfig { BootstrapServers = first.BootstrapServers, TransactionalId = TransactionalId }).Build();
        producer.InitTransactions(Step);
        producer.BeginTransaction();
        var stored = await Task.WhenAll(new[] { Topic, OtherTopic }.Select(topic => producer.ProduceAsync(topic, new() { Value = "first"u8.ToArray() })));
        await second.StopAsync();
        await UntilAsync(() => LeaderOf(admin, Topic) == -1);
        if (commits)
        {
            producer.CommitTransaction(Step);
        }
        else
        {
            producer.AbortTransaction(Step);
        }

        await second.StartAgainAsync();
        await UntilAsync(() => LeaderOf(admin, Topic) == 2);
        Assert.SkipWhen(await StableEndAsync(admin) > stored[0].Offset, "This Kafka keeps markers for partitions that have no leader.");
        WrittenTransaction transaction = new([new(Topic, 0), new(OtherTopic, 0)], commits ? [.. stored.Select(result => AppendResult.Stored(0, result.Offset))] : null);
        Assert.Equal(TransactionEnd.Lost, await WaitForEndAsync(first, transaction));

        // Nobody waits any more once it is opened.
        await using var owner = await log.OpenOwnerAsync(Owner, Token);
        await log.GetOffsetsAsync([new(Topic, 0), new(OtherTopic, 0)], Token);
        await owner.AppendTransactionAsync([new(Topic, Record("x", "next")), new(OtherTopic, Record("x", "next"))], Token);
        await owner.SettleAsync().WaitAsync(Limit);
        string[] expected = commits ? ["first", "next"] : ["next"];
        foreach (var topic in (string[])[Topic, OtherTopic])
        {
            await using var reader = log.OpenReader(topic, 0, 0);
            Assert.Equal(expected, await ReadValuesAsync(reader, expected.Length));
        }
    }

    [Theory, InlineData("Wire"), InlineData("Confluent")]
    public async Task The_identity_of_a_topic_is_known_without_a_leader_of_its_partition_or_again_when_there_is_one(string transport)
    {
        await using var first = await KafkaBroker.StartOwnAsync();
        await using var services = Open(SettingsFor(first, transport));
        var log = services.GetRequiredService<IMessageLog>();
        await using var second = await first.JoinAsync();
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = first.BootstrapServers }).Build();
        await CreateAsync(admin, Topic, broker: 2);
        await log.EnsureTopicsAsync([new(Topic, 1, IsCompacted: false)], Token);
        var before = await log.GetTopicIdsAsync([Topic], Token);
        await second.StopAsync();
        await UntilAsync(() => LeaderOf(admin, Topic) == -1);
        var meanwhile = Task.WhenAll(Enumerable.Range(0, 4).Select(_ => log.GetTopicIdsAsync([Topic], Token)));
        if (transport == "Wire")
        {
            await meanwhile.WaitAsync(Limit);
        }
        else
        {
            await Task.WhenAny(meanwhile, Task.Delay(TimeSpan.FromSeconds(3)));
        }

        await second.StartAgainAsync();
        await UntilAsync(() => LeaderOf(admin, Topic) == 2);

        Assert.All(await meanwhile.WaitAsync(Limit), ids => Assert.Equal(before, ids));
        Assert.Equal(before, await log.GetTopicIdsAsync([Topic], Token).WaitAsync(Limit));
    }

    [Fact]
    public async Task What_many_owners_commit_while_Kafka_stops_is_read_once_and_nobody_waits_behind_it()
    {
        const int Owners = 16;
        const int Partitions = 4;
        await using var broker = await KafkaBroker.StartOwnAsync();
        await using var services = Open(SettingsFor(broker, "Wire"));
        var log = services.GetRequiredService<IMessageLog>();
        await log.EnsureTopicsAsync([new(Topic, Owners, IsCompacted: false), new(OtherTopic, Partitions, IsCompacted: false)], Token);
        var committed = new int[Owners];
        using CancellationTokenSource end = new();
        var owning = Enumerable.Range(0, Owners).Select(OwnAsync).ToArray();
        await UntilAllCommitAsync();
        await broker.StopAsync();
        await broker.StartAgainAsync();
        await UntilAllCommitAsync();
        await end.CancelAsync();
        await Task.WhenAll(owning).WaitAsync(Patience);
        await log.GetOffsetsAsync([.. Enumerable.Range(0, Partitions).Select(partition => new TopicPartitionId(OtherTopic, partition))], Token);
        for (var owner = 0; owner < Owners; owner++)
        {
            await using var reader = log.OpenReader(Topic, owner, 0);
            Assert.Equal(Enumerable.Range(0, committed[owner]).Select(i => $"{i}"), await ReadValuesAsync(reader, committed[owner]));
        }

        async Task OwnAsync(int number)
        {
            var name = $"{Topic}-{number}";
            var owner = await log.OpenOwnerAsync(name, CancellationToken.None);
            while (!end.IsCancellationRequested)
            {
                var i = committed[number];
                await owner.AppendTransactionAsync(
                    [new(Topic, Record("x", $"{i}", partition: number)), new(OtherTopic, Record("x", $"{i}", partition: i % Partitions))], CancellationToken.None);
                Volatile.Write(ref committed[number], i + 1);
                try
                {
                    await owner.SettleAsync();
                }
                catch (OwnerFailedException)
                {
                    await owner.DisposeAsync();
                    owner = await log.OpenOwnerAsync(name, CancellationToken.None);
                }
            }

            await owner.DisposeAsync();
        }

        async Task UntilAllCommitAsync()
        {
            var before = committed.ToArray();
            await UntilAsync(() => Enumerable.Range(0, Owners).All(owner => Volatile.Read(ref committed[owner]) > before[owner] + 2));
        }
    }

    [Fact]
    public async Task An_owner_waits_for_the_end_of_its_own_transaction_and_not_for_those_of_others()
    {
        var broker = await KafkaBroker.SharedAsync();
        await using var services = Open(SettingsFor(broker, "Wire"));
        var log = services.GetRequiredService<IMessageLog>();
        await log.EnsureTopicsAsync([new(Topic, 1, IsCompacted: false)], Token);
        using var other = new ProducerBuilder<byte[]?, byte[]?>(new ProducerConfig { BootstrapServers = broker.BootstrapServers, TransactionalId = $"{Topic}-other" }).Build();
        other.InitTransactions(Step);
        other.BeginTransaction();
        await other.ProduceAsync(Topic, new() { Value = "other"u8.ToArray() });
        await using var owner = await log.OpenOwnerAsync(Topic, Token);
        for (var i = 0; i < 3; i++)
        {
            await owner.AppendTransactionAsync([new(Topic, Record("x", $"{i}"))], Token);
            await owner.SettleAsync().WaitAsync(Limit);
        }

        other.AbortTransaction(Step);
        await using var reader = log.OpenReader(Topic, 0, 0);
        Assert.Equal(["0", "1", "2"], await ReadValuesAsync(reader, 3));
    }

    /// <summary>Of the server's own view, whose producer is that of the test.</summary>
    private static async Task<TransactionEnd> WaitForEndAsync(KafkaBroker broker, WrittenTransaction transaction)
    {
        var settings = WireSettings.Create(new() { BootstrapServers = broker.BootstrapServers });
        using ClusterMetadata metadata = new(settings, _ => { }, NullLogger.Instance);
        using WireQuery query = new(settings, metadata, NullLogger.Instance);
        using var coordinator = TransactionCoordinator.Find(settings, metadata, TransactionalId);
        KafkaTransactions transactions = new(Owner, TransactionalId, Step, settings, metadata, query, NullLogger.Instance) { ProducerId = coordinator.Describe()!.ProducerId };
        return await transactions.WaitForEndAsync(transaction, Token);
    }

    private async Task<long> StableEndAsync(IAdminClient admin)
    {
        var answer = await admin.ListOffsetsAsync(
            [new() { TopicPartition = new(Topic, 0), OffsetSpec = OffsetSpec.Latest() }], new() { IsolationLevel = IsolationLevel.ReadCommitted, RequestTimeout = Step });
        return answer.ResultInfos[0].TopicPartitionOffsetError.Offset.Value;
    }

    private static async Task CreateAsync(IAdminClient admin, string topic, int broker)
    {
        for (var deadline = DateTime.UtcNow + Limit; ;)
        {
            try
            {
                await admin.CreateTopicsAsync([new() { Name = topic, NumPartitions = 1, ReplicasAssignments = new() { [0] = [broker] } }]);
                return;
            }
            catch (CreateTopicsException exception) when (exception.Results[0].Error.Code == ErrorCode.InvalidReplicaAssignment && DateTime.UtcNow < deadline)
            {
                // It has joined for itself, but the controller does not count on it yet.
            }
        }
    }

    private static int LeaderOf(IAdminClient admin, string topic) => admin.GetMetadata(topic, Step).Topics[0].Partitions.Select(partition => partition.Leader).FirstOrDefault(-1);
}
