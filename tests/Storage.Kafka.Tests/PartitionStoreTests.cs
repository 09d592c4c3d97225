using System.Diagnostics;
using System.Text;
using Confluent.Kafka;
using Microsoft.Extensions.Logging.Abstractions;
using OrleansMqtt.Log;
using OrleansMqtt.TestKit;
using Xunit;

namespace OrleansMqtt.Storage.Kafka.Tests;

/// <summary>What the store of a partition guarantees, on each log.</summary>
public sealed class PartitionStoreTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    public static TheoryData<string> Logs => ["Embedded", "Kafka"];

    [Theory, MemberData(nameof(Logs))]
    public async Task The_newest_value_of_each_key_is_loaded_and_a_removed_key_is_not(string kind)
    {
        await using var log = await TestLog.CreateAsync(kind);
        await using (var store = await log.OpenAsync(_ => Assert.Fail("There is nothing yet.")))
        {
            await store.CommitAsync([Record(log.Topic, "a", "1"), Record(log.Topic, "b", "1"), Record(log.Topic, "c", "1"), Record(log.Topic, "d", "1")]);
            await store.CommitAsync([Record(log.Topic, "a", "2"), Record(log.Topic, "b", null), Record(log.Topic, "c", null)]);
            await store.CommitAsync([Record(log.Topic, "c", "3")]);
        }

        List<StoreEntry> entries = [];
        await using var next = await log.OpenAsync(entries.Add);
        Assert.Equal(["d=1", "a=2", "c=3"], entries.Select(entry => $"{Text(entry.Key)}={Text(entry.Value)}"));
        Assert.Equal(entries.Select(entry => entry.Offset).Order(), entries.Select(entry => entry.Offset));
        Assert.All(entries, entry => Assert.True(entry.Offset < next.LoadedTo));
        Assert.True((await next.CommitAsync([Record(log.Topic, "e", "4")]))[0].Offset >= next.LoadedTo);
    }

    [Theory, MemberData(nameof(Logs))]
    public async Task What_arrives_while_a_transaction_runs_shares_the_next_and_completes_in_order(string kind)
    {
        await using var log = await TestLog.CreateAsync(kind);
        await using var store = await log.OpenAsync();
        log.Log.CloseGate();
        var first = store.CommitAsync([Record(log.Topic, "first", "v")]);
        await log.Log.Arrived.WaitAsync(TestLog.Token);
        var calls = Enumerable.Range(0, 500).Select(i => store.CommitAsync([Record(log.Topic, $"k{i}", $"{i}")])).ToArray();
        Assert.DoesNotContain(calls, call => call.IsCompleted);
        log.Log.OpenGate();

        var results = await Task.WhenAll(calls).WaitAsync(Limit);
        Assert.Equal([1, 500], log.Log.Transactions);
        Assert.Equal((await first)[0].Offset, results.Min(result => result[0].Offset) - (kind == "Kafka" ? 2 : 1));
        Assert.Equal(Enumerable.Range(0, 500), results.Select(result => (int)(result[0].Offset - results[0][0].Offset)));
        Assert.Equal(["first", .. Enumerable.Range(0, 500).Select(i => $"k{i}")], (await log.ReadAsync(log.Topic)).Select(record => Text(record.Key!.Value)));
    }

    [Theory, MemberData(nameof(Logs))]
    public async Task Of_a_key_a_transaction_holds_the_last_record_and_those_that_are_kept(string kind)
    {
        await using var log = await TestLog.CreateAsync(kind);
        await using var store = await log.OpenAsync();
        log.Log.CloseGate();
        var first = store.CommitAsync([Record(log.Topic, "other", "0")]);
        await log.Log.Arrived.WaitAsync(TestLog.Token);
        var superseded = store.CommitAsync([Record(log.Topic, "k", "1"), Record(log.Topic, "other", "1"), Record(log.Topic, "k", "2")]);
        var kept = store.CommitAsync([Record(log.Topic, "k", "3", isKept: true)]);
        var last = store.CommitAsync([Record(log.Topic, "k", "4")]);
        log.Log.OpenGate();

        var results = await superseded.WaitAsync(Limit);
        Assert.Equal([1, 3], log.Log.Transactions);
        Assert.True((await first)[0].Offset < results[1].Offset);
        Assert.Equal((await kept)[0], results[0]);
        Assert.Equal((await kept)[0], results[2]);
        Assert.Equal((await last)[0].Offset, (await kept)[0].Offset + 1);
        var written = (await log.ReadAsync(log.Topic)).Where(record => record.Offset >= results[1].Offset).Select(record => $"{Text(record.Key!.Value)}={Text(record.Value!.Value)}");
        Assert.Equal(["other=1", "k=3", "k=4"], written);
    }

    [Theory, MemberData(nameof(Logs))]
    public async Task Messages_are_all_written_in_order_in_the_transaction_of_the_state(string kind)
    {
        await using var log = await TestLog.CreateAsync(kind, partitions: 4);
        await using var store = await log.OpenAsync(partition: 2);
        var results = await store.CommitAsync(
            [Record(log.Messages, "m", "1"), Record(log.Topic, "state", "1"), Record(log.Messages, "m", "2"), Record(log.Messages, "m", "3"), Record(log.Topic, "state", "2")]);
        Assert.Equal([4], log.Log.Transactions);
        Assert.Equal((2, results[4]), (results[1].Partition, results[1]));
        Assert.Equal(["state=2"], (await log.ReadAsync(log.Topic, 2)).Select(record => $"{Text(record.Key!.Value)}={Text(record.Value!.Value)}"));
        Assert.Equal(["1", "2", "3"], (await log.ReadAsync(log.Messages, results[0].Partition)).Select(record => Text(record.Value!.Value)));
        await Assert.ThrowsAsync<ArgumentException>(async () => await store.CommitAsync(
            [new(log.Topic, new() { Key = "k"u8.ToArray(), Value = null, Headers = [], Partition = 1 })]));
        await Assert.ThrowsAnyAsync<Exception>(async () => await store.CommitAsync([Record(log.Topic + "-unknown", "k", "v")]));
    }

    [Theory, MemberData(nameof(Logs))]
    public async Task A_store_of_a_shared_topic_writes_every_record_and_to_other_partitions_too(string kind)
    {
        await using var log = await TestLog.CreateAsync(kind, partitions: 4);
        await using var earlier = await PartitionStore.OpenSharedAsync(log.Log, new(log.Topic, 2), log.Owner, NullLogger.Instance, TestLog.Token);
        var byKey = Record(log.Topic, "k", "2");
        StoreRecord elsewhere = new(log.Topic, new() { Key = "k"u8.ToArray(), Value = null, Partition = 1 });
        var results = await earlier.CommitAsync([Record(log.Topic, "k", "1"), byKey, elsewhere, Record(log.Messages, "k", "m")]);
        Assert.Equal([4], log.Log.Transactions);
        Assert.Equal(results[0].Partition, results[1].Partition);
        Assert.Equal((1, results[0].Offset + 1), (results[2].Partition, results[1].Offset));
        Assert.Null(Assert.Single(await log.ReadAsync(log.Topic, 1), record => record.Offset == results[2].Offset).Value);

        await using var later = await PartitionStore.OpenSharedAsync(log.Log, new(log.Topic, 2), log.Owner, NullLogger.Instance, TestLog.Token);
        await Assert.ThrowsAsync<OwnerFencedException>(() => earlier.CommitAsync([byKey]));
        await later.CommitAsync([byKey]);
    }

    [Theory, MemberData(nameof(Logs))]
    public async Task A_later_owner_ends_the_earlier_one_and_its_waiting_commits(string kind)
    {
        await using var log = await TestLog.CreateAsync(kind);
        await using var earlier = await log.OpenAsync();
        await earlier.CommitAsync([Record(log.Topic, "k", "earlier")]);
        log.Log.CloseGate();
        var running = earlier.CommitAsync([Record(log.Topic, "k", "too late")]);
        await log.Log.Arrived.WaitAsync(TestLog.Token);
        var waiting = earlier.CommitAsync([Record(log.Topic, "k", "later still")]);
        List<StoreEntry> entries = [];
        await using var later = await log.OpenAsync(entries.Add);
        Assert.False(earlier.Fenced.IsCompleted);
        log.Log.OpenGate();

        await Assert.ThrowsAsync<OwnerFencedException>(() => running.WaitAsync(Limit));
        await Assert.ThrowsAsync<OwnerFencedException>(() => waiting.WaitAsync(Limit));
        await earlier.Fenced.WaitAsync(Limit);
        await Assert.ThrowsAsync<OwnerFencedException>(() => earlier.CommitAsync([Record(log.Topic, "k", "no more")]));
        await later.CommitAsync([Record(log.Topic, "l", "later")]);
        Assert.False(later.Fenced.IsCompleted);
        Assert.Equal("earlier", Text(Assert.Single(entries).Value));
        Assert.Equal(["earlier", "later"], (await log.ReadAsync(log.Topic)).Select(record => Text(record.Value!.Value)));
    }

    [Theory, MemberData(nameof(Logs))]
    public async Task An_owner_that_failed_goes_on_when_nobody_else_wrote(string kind)
    {
        await using var log = await TestLog.CreateAsync(kind);
        await using var store = await log.OpenAsync();
        await store.CommitAsync([Record(log.Topic, "k", "1"), Record(log.Messages, "m", "1")]);
        for (var i = 2; i < 4; i++)
        {
            log.Log.FailsOwner = true;
            await store.CommitAsync([Record(log.Topic, "k", $"{i}"), Record(log.Messages, "m", $"{i}")]).WaitAsync(Limit);
        }

        Assert.False(store.Fenced.IsCompleted);
        Assert.Equal(["1", "2", "3"], (await log.ReadAsync(log.Messages)).Select(record => Text(record.Value!.Value)));
    }

    [Theory, MemberData(nameof(Logs))]
    public async Task An_owner_whose_transaction_did_not_end_is_opened_again_at_once(string kind)
    {
        await using var log = await TestLog.CreateAsync(kind);
        await using var store = await log.OpenAsync();
        await log.Log.Opened.WaitAsync(TestLog.Token);
        log.Log.LosesEnd = true;
        await store.CommitAsync([Record(log.Topic, "k", "1")]).WaitAsync(Limit);
        await log.Log.Opened.WaitAsync(TestLog.Token);
        await store.CommitAsync([Record(log.Topic, "k", "2")]).WaitAsync(Limit);
        Assert.False(store.Fenced.IsCompleted);
        Assert.Equal(["1", "2"], (await log.ReadAsync(log.Topic)).Select(record => Text(record.Value!.Value)));
    }

    [Theory, MemberData(nameof(Logs))]
    public async Task An_owner_that_failed_ends_when_somebody_else_wrote(string kind)
    {
        await using var log = await TestLog.CreateAsync(kind);
        await using var store = await log.OpenAsync();
        await store.CommitAsync([Record(log.Topic, "k", "1")]);
        await using (var other = await log.OpenAsync())
        {
            await other.CommitAsync([Record(log.Topic, "k", "2")]);
        }

        log.Log.FailsOwner = true;
        await Assert.ThrowsAsync<OwnerFencedException>(() => store.CommitAsync([Record(log.Topic, "k", "3")]).WaitAsync(Limit));
        await store.Fenced.WaitAsync(Limit);
        Assert.Equal("2", Text((await log.ReadAsync(log.Topic))[^1].Value!.Value));
    }

    [Theory, MemberData(nameof(Logs))]
    public async Task A_transaction_is_bounded_and_no_call_is_divided(string kind)
    {
        await using var log = await TestLog.CreateAsync(kind);
        await using var store = await log.OpenAsync();
        log.Log.CloseGate();
        _ = store.CommitAsync([Record(log.Topic, "first", "v")]);
        await log.Log.Arrived.WaitAsync(TestLog.Token);
        var calls = Enumerable.Range(0, 4).Select(call => store.CommitAsync(Enumerable.Range(0, 3_000).Select(i => Record(log.Topic, $"{call}-{i}", "v")).ToArray())).ToList();
        var large = Enumerable.Range(0, 12).Select(i => new StoreRecord(log.Topic, new() { Key = Encoding.UTF8.GetBytes($"large{i}"), Value = new byte[500_000], Headers = [] })).ToArray();
        calls.Add(store.CommitAsync(large));
        calls.Add(store.CommitAsync(large));
        calls.Add(store.CommitAsync(Enumerable.Range(0, PartitionStore.MaximumRecords + 1).Select(i => Record(log.Topic, $"many{i}", "v")).ToArray()));
        log.Log.OpenGate();
        await Task.WhenAll(calls).WaitAsync(Limit);
        Assert.Equal([1, 9_000, 3_012, 12, PartitionStore.MaximumRecords + 1], log.Log.Transactions);
    }

    [Theory, MemberData(nameof(Logs))]
    public async Task A_record_that_is_refused_fails_its_own_call_alone(string kind)
    {
        await using var log = await TestLog.CreateAsync(kind);
        await using var store = await log.OpenAsync();
        log.Log.CloseGate();
        _ = store.CommitAsync([Record(log.Topic, "first", "v")]);
        await log.Log.Arrived.WaitAsync(TestLog.Token);
        var before = store.CommitAsync([Record(log.Topic, "before", "v")]);
        var refused = store.CommitAsync([Record(log.Topic, "innocent", "v"), Record(log.Topic, ObservedLog.RefusedKey, "v")]);
        var after = store.CommitAsync([Record(log.Topic, "after", "v")]);
        log.Log.OpenGate();
        await before.WaitAsync(Limit);
        await after.WaitAsync(Limit);
        await Assert.ThrowsAsync<ArgumentException>(() => refused);
        Assert.Equal(["first", "before", "after"], (await log.ReadAsync(log.Topic)).Select(record => Text(record.Key!.Value)));
    }

    [Theory, MemberData(nameof(Logs))]
    public async Task Many_callers_at_once_share_few_transactions_and_each_keeps_its_order(string kind)
    {
        await using var log = await TestLog.CreateAsync(kind);
        await using var store = await log.OpenAsync();
        await Task.WhenAll(Enumerable.Range(0, 16).Select(caller => Task.Run(async () =>
        {
            List<Task> calls = [];
            for (var i = 0; i < 100; i++)
            {
                calls.Add(store.CommitAsync([Record(log.Topic, $"{caller}", $"{i}"), Record(log.Messages, $"{caller}", $"{i}")]));
                if (i % 10 == 9)
                {
                    await Task.WhenAll(calls);
                }
            }
        }))).WaitAsync(Limit);

        var messages = (await log.ReadAsync(log.Messages)).GroupBy(record => Text(record.Key!.Value)).ToList();
        Assert.Equal(16, messages.Count);
        Assert.All(messages, caller => Assert.Equal(Enumerable.Range(0, 100).Select(i => $"{i}"), caller.Select(record => Text(record.Value!.Value))));
        Assert.InRange(log.Log.Transactions.Count, 10, 400);
        List<StoreEntry> entries = [];
        await using var next = await log.OpenAsync(entries.Add);
        Assert.Equal(Enumerable.Repeat("99", 16), entries.Select(entry => Text(entry.Value)));
    }

    [Theory, MemberData(nameof(Logs))]
    public async Task A_store_that_is_given_up_ends_the_running_transaction_and_fails_what_waits(string kind)
    {
        await using var log = await TestLog.CreateAsync(kind);
        var store = await log.OpenAsync();
        log.Log.CloseGate();
        var running = store.CommitAsync([Record(log.Topic, "running", "v")]);
        await log.Log.Arrived.WaitAsync(TestLog.Token);
        var waiting = store.CommitAsync([Record(log.Topic, "waiting", "v")]);
        var disposing = store.DisposeAsync().AsTask();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting.WaitAsync(Limit));
        Assert.False(disposing.IsCompleted);
        log.Log.OpenGate();
        await running.WaitAsync(Limit);
        await disposing.WaitAsync(Limit);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => store.CommitAsync([Record(log.Topic, "late", "v")]));
        Assert.False(store.Fenced.IsCompleted);
        Assert.Equal(["running"], (await log.ReadAsync(log.Topic)).Select(record => Text(record.Key!.Value)));
    }

    [Theory, MemberData(nameof(Logs))]
    public async Task Who_stops_waiting_does_not_undo_the_commit(string kind)
    {
        await using var log = await TestLog.CreateAsync(kind);
        await using var store = await log.OpenAsync();
        log.Log.CloseGate();
        using CancellationTokenSource cancelling = new();
        var cancelled = store.CommitAsync([Record(log.Topic, "k", "v")], cancelling.Token);
        await cancelling.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        var flush = store.CommitAsync([]);
        Assert.False(flush.IsCompleted);
        log.Log.OpenGate();
        Assert.Empty(await flush.WaitAsync(Limit));
        Assert.Single(await log.ReadAsync(log.Topic));
    }

    [Theory, MemberData(nameof(Logs))]
    public async Task A_large_partition_loads_fast(string kind)
    {
        const int Count = 25_000;
        await using var log = await TestLog.CreateAsync(kind);
        await using (var store = await log.OpenAsync())
        {
            for (var round = 0; round < 2; round++)
            {
                await Task.WhenAll(Enumerable.Range(0, Count / 100).Select(group => store.CommitAsync(Enumerable.Range(group * 100, 100)
                    .Select(i => new StoreRecord(log.Topic, new() { Key = Encoding.UTF8.GetBytes($"client-{i:00000}"), Value = new byte[500], Headers = [] })).ToArray()))).WaitAsync(Limit);
            }
        }

        var count = 0;
        var startedAt = Stopwatch.GetTimestamp();
        await using var next = await log.OpenAsync(_ => count++);
        var duration = Stopwatch.GetElapsedTime(startedAt);
        TestContext.Current.SendDiagnosticMessage($"{kind}: {Count} entries loaded in {duration.TotalMilliseconds:0} ms");
        Assert.Equal(Count, count);
        Assert.InRange(duration, TimeSpan.Zero, TimeSpan.FromSeconds(3));
    }

    [Fact]
    public async Task The_open_transaction_of_a_dead_owner_is_ended_and_not_loaded()
    {
        await using var log = await TestLog.CreateAsync("Kafka");
        await using (var store = await log.OpenAsync())
        {
            await store.CommitAsync([Record(log.Topic, "k", "committed")]);
        }

        var servers = (await KafkaBroker.SharedAsync()).BootstrapServers;
        using var dead = new ProducerBuilder<string, string>(
            new ProducerConfig { BootstrapServers = servers, TransactionalId = new OrleansMqtt.Log.Kafka.KafkaLogOptions().TransactionalIdPrefix + log.Owner }).Build();
        dead.InitTransactions(Limit);
        dead.BeginTransaction();
        await dead.ProduceAsync(new TopicPartition(log.Topic, 0), new() { Key = "k", Value = "open" });
        List<StoreEntry> entries = [];
        await using var next = await log.OpenAsync(entries.Add).WaitAsync(Limit);
        Assert.Equal("committed", Text(Assert.Single(entries).Value));
    }

    private static StoreRecord Record(string topic, string key, string? value, bool isKept = false) => new(
        topic, new() { Key = Encoding.UTF8.GetBytes(key), Value = value is null ? (ReadOnlyMemory<byte>?)null : Encoding.UTF8.GetBytes(value), Headers = [] }, isKept);

    private static string Text(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);
}
