using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace OrleansMqtt.Log.Tests;

/// <summary>What every log guarantees; runs against each implementation.</summary>
public abstract class MessageLogContract : LogTests, IAsyncLifetime
{
    private ServiceProvider _services = null!;

    protected IMessageLog Log { get; private set; } = null!;

    protected string Compacted => Topic + "-compacted";

    public async ValueTask InitializeAsync()
    {
        _services = Open(await SettingsAsync());
        Log = _services.GetRequiredService<IMessageLog>();
        await Log.EnsureTopicsAsync([new(Topic, 2, IsCompacted: false), new(Compacted, 1, IsCompacted: true)], Token);
    }

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        await CleanUpAsync();
        GC.SuppressFinalize(this);
    }

    protected abstract Task<Dictionary<string, string?>> SettingsAsync();

    protected virtual Task CleanUpAsync() => Task.CompletedTask;

    [Fact]
    public async Task Records_of_a_partition_are_stored_in_the_order_of_the_calls()
    {
        Completions completions = new(5_000);
        for (var i = 0; i < 5_000; i++)
        {
            Log.Append(Topic, Record("key", $"{i}"), completions, i);
        }

        var results = await completions.All.WaitAsync(Limit);
        Assert.All(results, result => Assert.True(result.IsStored));
        Assert.Equal(results.Select(result => result.Offset).Order(), results.Select(result => result.Offset));
        Assert.Equal(Enumerable.Range(0, 5_000).Select(i => $"{i}"), Values(await ReadAsync(results[0].Partition, 0, 5_000)));
    }

    [Fact]
    public async Task An_acknowledged_record_lies_below_the_end_and_comes_back_as_it_was()
    {
        LogHeader[] headers = [new("a", "1"u8.ToArray()), new("a", "2"u8.ToArray()), new("empty", Array.Empty<byte>()), new("null", null)];

        // Not the time of the append, but not old either: what is older than the retention may be removed at any moment.
        var timestamp = DateTimeOffset.UtcNow.AddHours(-1).ToUnixTimeMilliseconds();
        var stored = await AppendAsync(new() { Key = "k"u8.ToArray(), Value = Array.Empty<byte>(), Headers = headers, TimestampMilliseconds = timestamp });
        var range = (await Log.GetOffsetsAsync([new(Topic, stored.Partition)], Token))[0];
        Assert.True(stored.Offset < range.End);

        var record = Assert.Single((await ReadAsync(stored.Partition, stored.Offset, 1)).SelectMany(batch => batch.Records));
        Assert.Equal((stored.Offset, timestamp), (record.Offset, record.TimestampMilliseconds));
        Assert.Equal(0, record.Value!.Value.Length);
        Assert.Equal(["a=31", "a=32", "empty=", "null=null"], record.Headers.Select(h => $"{h.Name}={(h.Value is { } value ? Convert.ToHexString(value.Span) : "null")}"));
    }

    [Fact]
    public async Task The_key_decides_the_partition_as_Kafka_does()
    {
        foreach (var key in new[] { "a", "b", "site/7/temperature", "ä" })
        {
            var stored = await AppendAsync(Record(key, "v"));
            Assert.Equal(Kafka.KafkaPartitioner.PartitionOf(Encoding.UTF8.GetBytes(key), 2), stored.Partition);
        }
    }

    [Fact]
    public async Task A_reader_waits_for_what_comes_and_its_batches_join()
    {
        await using var reader = Log.OpenReader(Topic, 0, 0);
        var reading = reader.ReadAsync(100, Token).AsTask();
        Assert.False(reading.IsCompleted);
        await AppendAsync(Record("x", "1", partition: 0));
        Assert.Equal("1", Encoding.UTF8.GetString((await reading).Records[0].Value!.Value.Span));
        var to = reader.Position;
        await AppendAsync(Record("x", "2", partition: 0));
        var next = await reader.ReadAsync(100, Token);
        Assert.Equal(to, next.From);
    }

    [Fact]
    public async Task A_reader_goes_back_and_forth_by_seeking()
    {
        for (var i = 0; i < 10; i++)
        {
            await AppendAsync(Record("x", $"{i}", partition: 0));
        }

        await using var reader = Log.OpenReader(Topic, 0, 8);
        Assert.Equal("8", Encoding.UTF8.GetString((await reader.ReadAsync(1, Token)).Records[0].Value!.Value.Span));
        reader.Seek(2);
        Assert.Equal("2", Encoding.UTF8.GetString((await reader.ReadAsync(1, Token)).Records[0].Value!.Value.Span));
    }

    [Fact]
    public async Task A_transaction_is_seen_whole_and_stretches_around_it_join()
    {
        await using var owner = await Log.OpenOwnerAsync($"{Topic}-owner", Token);
        var results = await owner.AppendTransactionAsync([new(Topic, Record("x", "1", partition: 0)), new(Compacted, Record("k", "2")), new(Topic, Record("x", "3", partition: 1))], Token);
        Assert.All(results, result => Assert.True(result.IsStored));
        await AppendAsync(Record("x", "after", partition: 0));

        var batches = await ReadAsync(0, 0, 2);
        Assert.Equal(["1", "after"], Values(batches));
        Assert.All(batches.Zip(batches.Skip(1)), pair => Assert.Equal(pair.First.To, pair.Second.From));
        Assert.Equal(["3"], Values(await ReadAsync(1, 0, 1)));
    }

    [Fact]
    public async Task A_later_owner_fences_the_earlier_one()
    {
        await using var first = await Log.OpenOwnerAsync($"{Topic}-owner", Token);
        await first.AppendTransactionAsync([new(Topic, Record("x", "first", partition: 0))], Token);
        await using var second = await Log.OpenOwnerAsync($"{Topic}-owner", Token);
        await Assert.ThrowsAsync<OwnerFencedException>(() => first.AppendTransactionAsync([new(Topic, Record("x", "too late", partition: 0))], Token));
        await second.AppendTransactionAsync([new(Topic, Record("x", "second", partition: 0))], Token);
        await AppendAsync(Record("x", "end", partition: 0));
        Assert.Equal(["first", "second", "end"], Values(await ReadAsync(0, 0, 3)));
    }

    [Fact]
    public async Task A_range_ends_at_the_end_of_the_partition()
    {
        for (var i = 0; i < 5; i++)
        {
            await AppendAsync(Record("x", $"{i}", partition: 0));
        }

        var batch = await Log.ReadRangeAsync(Topic, 0, 1, 3, Token);
        Assert.Equal((1, 4), (batch.From, batch.To));
        Assert.Equal(["1", "2", "3"], Values([batch]));
        Assert.Equal(["4"], Values([await Log.ReadRangeAsync(Topic, 0, batch.To, 100, Token)]));
        var end = await Log.ReadRangeAsync(Topic, 0, 5, 100, Token);
        Assert.Equal((5, 5, 0), (end.From, end.To, end.Records.Length));
    }

    [Fact]
    public async Task An_offset_beyond_the_end_is_out_of_range()
    {
        var exception = await Assert.ThrowsAsync<OffsetOutOfRangeException>(() => Log.ReadRangeAsync(Topic, 0, 1_000, 1, Token));
        Assert.Equal(new(0, 0), exception.Available);
    }

    [Fact]
    public async Task The_newest_value_of_a_key_survives_compaction()
    {
        Completions completions = new(3);
        Log.Append(Compacted, Record("k", "old"), completions, 0);
        Log.Append(Compacted, Record("k", "new"), completions, 1);
        Log.Append(Compacted, new() { Key = "gone"u8.ToArray(), Value = null, Headers = [] }, completions, 2);
        var results = await completions.All.WaitAsync(Limit);
        var batch = await Log.ReadRangeAsync(Compacted, 0, results[1].Offset, 10, Token);
        Assert.Equal("new", Encoding.UTF8.GetString(batch.Records[0].Value!.Value.Span));
        Assert.Null(batch.Records[1].Value);
    }

    [Fact]
    public async Task A_topic_that_does_not_fit_is_refused_with_a_line_that_names_it()
    {
        var partitions = await Assert.ThrowsAsync<LogConfigurationException>(() => Log.EnsureTopicsAsync([new(Topic, 3, IsCompacted: false)], Token));
        Assert.Contains(Topic, partitions.Message, StringComparison.Ordinal);
        Assert.Contains("2 partitions", partitions.Message, StringComparison.Ordinal);
        var policy = await Assert.ThrowsAsync<LogConfigurationException>(() => Log.EnsureTopicsAsync([new(Topic, 2, IsCompacted: true)], Token));
        Assert.Contains("cleanup.policy", policy.Message, StringComparison.Ordinal);
        await Log.EnsureTopicsAsync([new(Topic, 7, IsCompacted: false, AcceptAnyPartitionCount: true)], Token);
        Assert.Equal(2, Log.GetPartitionCount(Topic));
    }

    [Fact]
    public async Task Many_writers_at_once_lose_nothing_double_nothing_and_keep_their_order()
    {
        const int Writers = 8;
        const int Each = 2_000;
        Completions completions = new(Writers * Each);
        await using var first = Log.OpenReader(Topic, 0, 0);
        await using var second = Log.OpenReader(Topic, 1, 0);
        var reading = Task.WhenAll(Follow(first), Follow(second));
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Run(() =>
        {
            for (var i = 0; i < Each; i++)
            {
                Log.Append(Topic, Record($"{writer}", $"{writer}:{i}", writer % 2), completions, (writer * Each) + i);
            }
        })));

        Assert.All(await completions.All.WaitAsync(Limit), result => Assert.True(result.IsStored));
        var values = (await reading).SelectMany(read => read).ToLookup(value => value.Split(':')[0], value => int.Parse(value.Split(':')[1]));
        Assert.Equal(Writers, values.Count);
        Assert.All(values, writer => Assert.Equal(Enumerable.Range(0, Each), writer));

        async Task<List<string>> Follow(ILogReader reader)
        {
            List<string> values = [];
            for (var from = 0L; values.Count < Writers / 2 * Each;)
            {
                var batch = await reader.ReadAsync(500, Token);
                Assert.Equal(from, batch.From);
                Assert.InRange(batch.Records.Length, 0, 500);
                from = batch.To;
                values.AddRange(Values([batch]));
            }

            return values;
        }
    }

    [Fact]
    public async Task Two_readers_of_one_partition_both_get_everything()
    {
        await using var one = Log.OpenReader(Topic, 0, 0);
        await using var other = Log.OpenReader(Topic, 0, 0);
        await AppendAsync(Record("x", "1", partition: 0));
        Assert.Equal(["1"], Values([await one.ReadAsync(10, Token)]));
        Assert.Equal(["1"], Values([await other.ReadAsync(10, Token)]));
    }

    [Fact]
    public async Task A_cancelled_read_loses_nothing_and_a_disposed_reader_ends_its_read()
    {
        var reader = Log.OpenReader(Topic, 0, 0);
        using CancellationTokenSource cancelling = new();
        var cancelled = reader.ReadAsync(10, cancelling.Token).AsTask();
        await cancelling.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        await AppendAsync(Record("x", "1", partition: 0));
        Assert.Equal(["1"], Values([await reader.ReadAsync(10, Token)]));

        var reading = reader.ReadAsync(10, CancellationToken.None).AsTask();
        await reader.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => reading.WaitAsync(Limit));
    }

    [Fact]
    public async Task A_reader_learns_that_its_offset_is_beyond_the_end()
    {
        await using var reader = Log.OpenReader(Topic, 0, 1_000);
        await Assert.ThrowsAsync<OffsetOutOfRangeException>(() => reader.ReadAsync(1, Token).AsTask());
        reader.Seek(0);
        await AppendAsync(Record("x", "1", partition: 0));
        Assert.Equal(["1"], Values([await reader.ReadAsync(10, Token)]));
    }

    [Fact]
    public async Task A_record_that_cannot_go_anywhere_does_not_spoil_its_transaction_or_the_next()
    {
        await using var owner = await Log.OpenOwnerAsync($"{Topic}-owner", Token);
        await Assert.ThrowsAnyAsync<Exception>(
            () => owner.AppendTransactionAsync([new(Topic, Record("x", "not alone", partition: 0)), new(Topic + "-unknown", Record("x", "v"))], Token));
        await owner.AppendTransactionAsync([new(Topic, Record("x", "next", partition: 0))], Token);
        Assert.Equal(["next"], Values(await ReadAsync(0, 0, 1)));
    }

    [Fact]
    public async Task An_owner_that_is_given_up_writes_no_more()
    {
        var owner = await Log.OpenOwnerAsync($"{Topic}-owner", Token);
        await owner.AppendTransactionAsync([new(Topic, Record("x", "1", partition: 0))], Token);
        await owner.DisposeAsync();
        await owner.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => owner.AppendTransactionAsync([new(Topic, Record("x", "2", partition: 0))], Token));
    }

    [Fact]
    public async Task The_end_of_a_partition_that_a_transaction_ended_is_reached_by_ranges_and_readers()
    {
        await using var owner = await Log.OpenOwnerAsync($"{Topic}-owner", Token);
        var end = 0L;
        for (var i = 0; i < 20; i++)
        {
            var appended = await owner.AppendTransactionAsync([new(Topic, Record("x", $"{i}", partition: 0))], Token);
            end = (await Log.GetOffsetsAsync([new(Topic, 0)], Token))[0].End;
            Assert.True(end > appended[0].Offset, $"{appended[0]} is acknowledged and not below {end}");
        }

        var from = 0L;
        while (from < end)
        {
            from = (await Log.ReadRangeAsync(Topic, 0, from, 100, Token)).To;
        }

        Assert.Equal(end, from);
        await using var reader = Log.OpenReader(Topic, 0, 0);
        while (reader.Position < end)
        {
            await reader.ReadAsync(100, Token);
        }

        Assert.Equal(end, reader.Position);
    }

    [Fact]
    public async Task Topics_are_made_once_when_many_ask_at_once()
    {
        TopicSpecification topic = new(Topic + "-again", 3, IsCompacted: false);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Log.EnsureTopicsAsync([topic], Token)));
        Assert.Equal(3, Log.GetPartitionCount(topic.Name));
    }

    [Fact]
    public void The_log_says_that_it_answers() => Assert.True(Log.Health.IsReachable);

    protected async Task<AppendResult> AppendAsync(LogRecord record)
    {
        Completions completions = new(1);
        Log.Append(Topic, record, completions, 0);
        return (await completions.All.WaitAsync(Limit))[0];
    }

    protected async Task<List<LogBatch>> ReadAsync(int partition, long from, int count)
    {
        await using var reader = Log.OpenReader(Topic, partition, from);
        List<LogBatch> batches = [];
        while (batches.Sum(batch => batch.Records.Length) < count)
        {
            batches.Add(await reader.ReadAsync(1_000, Token));
        }

        return batches;
    }
}
