using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using OrleansMqtt.Log.Embedded;
using Xunit;

namespace OrleansMqtt.Log.Tests;

/// <summary>What the embedded log keeps, removes and refuses.</summary>
public sealed class EmbeddedStorageTests : IDisposable
{
    private static readonly TopicSpecification Records = new("records", 1, IsCompacted: false);
    private static readonly TopicSpecification Compacted = new("compacted", 1, IsCompacted: true);
    private readonly string _directory = Directory.CreateTempSubdirectory("orleansmqtt-storage-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task Retention_by_size_moves_the_start_and_keeps_the_newest()
    {
        await using var log = await OpenAsync(new() { RetentionBytes = 50_000 });
        for (var i = 0; i < 100; i++)
        {
            await AppendAsync(log, "records", "k", new string('x', 1_000));
        }

        await log.ApplyRetentionAsync();
        var range = (await log.GetOffsetsAsync([new("records", 0)], default))[0];
        Assert.Equal(100, range.End);
        Assert.InRange(range.Start, 50, 55);
        await Assert.ThrowsAsync<OffsetOutOfRangeException>(() => log.ReadRangeAsync("records", 0, 0, 1, default));
        Assert.Equal(range.Start, (await log.ReadRangeAsync("records", 0, range.Start, 1, default)).Records[0].Offset);

        // The sum is kept up to date: the next records push out as many.
        for (var i = 0; i < 10; i++)
        {
            await AppendAsync(log, "records", "k", new string('x', 1_000));
        }

        await log.ApplyRetentionAsync();
        Assert.Equal(new(range.Start + 10, 110), (await log.GetOffsetsAsync([new("records", 0)], default))[0]);
    }

    [Fact]
    public async Task Retention_by_age_removes_all_but_the_newest_and_offsets_go_on_after_a_restart()
    {
        await using (var log = await OpenAsync(new() { RetentionHours = 1e-9 }))
        {
            await AppendAsync(log, "records", "k", "first");
            for (var i = 0; i < 2_500; i++)
            {
                log.Append("records", Record("k", $"{i}"), new Ignore(), 0);
            }

            await AppendAsync(log, "records", "k", "last");
            await Task.Delay(5, TestContext.Current.CancellationToken);
            await log.ApplyRetentionAsync();
            var range = (await log.GetOffsetsAsync([new("records", 0)], default))[0];
            Assert.Equal(2_502, range.End);
            Assert.InRange(range.Start, 1, 2_501);
        }

        await using var again = await OpenAsync(new());
        Assert.Equal(2_502, (await AppendAsync(again, "records", "k", "next")).Offset);
    }

    [Fact]
    public async Task A_compacted_topic_keeps_the_newest_of_each_key_and_its_offsets()
    {
        await using (var log = await OpenAsync(new() { RecentBytes = 0 }))
        {
            foreach (var (key, value) in new[] { ("a", "1"), ("b", "1"), ("a", "2"), ("b", null), ("c", "1") })
            {
                await AppendAsync(log, "compacted", key, value);
            }

            Assert.Equal(["2 a=2", "3 b=", "4 c=1"], await DumpAsync(log));
        }

        await using var again = await OpenAsync(new() { TombstoneHours = 1e-9, RecentBytes = 0 });
        await Task.Delay(5, TestContext.Current.CancellationToken);
        await again.ApplyRetentionAsync();
        Assert.Equal(["2 a=2", "4 c=1"], await DumpAsync(again));
        Assert.Equal(5, (await AppendAsync(again, "compacted", "b", "new")).Offset);
        Assert.Equal(["2 a=2", "4 c=1", "5 b=new"], await DumpAsync(again));
    }

    [Fact]
    public async Task The_tombstone_that_is_the_newest_record_stays_so_that_its_offset_is_not_given_again()
    {
        await using (var log = await OpenAsync(new() { TombstoneHours = 1e-9 }))
        {
            await AppendAsync(log, "compacted", "a", "1");
            await AppendAsync(log, "compacted", "a", null);
            await Task.Delay(5, TestContext.Current.CancellationToken);
            await log.ApplyRetentionAsync();
        }

        await using var again = await OpenAsync(new());
        Assert.Equal(2, (await AppendAsync(again, "compacted", "a", "2")).Offset);
    }

    [Fact]
    public async Task A_reader_far_behind_reads_from_disk_and_arrives_at_the_end()
    {
        await using var log = await OpenAsync(new() { RecentBytes = 10_000 });
        for (var i = 0; i < 20_000; i++)
        {
            log.Append("records", Record("k", $"{i}"), new Ignore(), 0);
        }

        await AppendAsync(log, "records", "k", "20000");
        await using var reader = log.OpenReader("records", 0, 7);
        var expected = 7L;
        while (reader.Position <= 20_000)
        {
            var batch = await reader.ReadAsync(333, TestContext.Current.CancellationToken);
            Assert.Equal(expected, batch.From);
            foreach (var record in batch.Records)
            {
                Assert.Equal(expected, record.Offset);
                Assert.Equal($"{expected++}", Encoding.UTF8.GetString(record.Value!.Value.Span));
            }
        }

        Assert.Equal(20_001, expected);
    }

    [Fact]
    public async Task A_header_without_a_name_is_refused_and_harms_nothing_else()
    {
        await using var log = await OpenAsync(new());
        Assert.ThrowsAny<ArgumentException>(() => log.Append("records", new() { Key = "k"u8.ToArray(), Headers = [default] }, new Ignore(), 0));
        Assert.Equal(0, (await AppendAsync(log, "records", "k", "v")).Offset);
    }

    [Fact]
    public void A_damaged_log_stops_the_start_with_a_line_that_names_the_directory()
    {
        File.WriteAllText(Path.Combine(_directory, "log.db"), new string('?', 10_000));
        var exception = Assert.Throws<LogConfigurationException>(() => new EmbeddedLog(new() { Directory = _directory }, NullLogger<EmbeddedLog>.Instance));
        Assert.Contains("Log:Embedded:Directory", exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', exception.Message);
    }

    [Fact]
    public void A_directory_that_cannot_be_made_stops_the_start_with_a_line_that_names_it()
    {
        var file = Path.Combine(_directory, "file");
        File.WriteAllText(file, "");
        var exception = Assert.Throws<LogConfigurationException>(() => new EmbeddedLog(new() { Directory = Path.Combine(file, "log") }, NullLogger<EmbeddedLog>.Instance));
        Assert.Contains("Log:Embedded:Directory", exception.Message, StringComparison.Ordinal);
    }

    private async Task<EmbeddedLog> OpenAsync(EmbeddedLogOptions options)
    {
        options.Directory = _directory;
        EmbeddedLog log = new(options, NullLogger<EmbeddedLog>.Instance);
        await log.EnsureTopicsAsync([Records, Compacted], default);
        return log;
    }

    private static async Task<string[]> DumpAsync(EmbeddedLog log)
    {
        var end = (await log.GetOffsetsAsync([new("compacted", 0)], default))[0].End;
        List<StoredRecord> records = [];
        for (var from = 0L; from < end;)
        {
            var batch = await log.ReadRangeAsync("compacted", 0, from, 2, default);
            records.AddRange(batch.Records);
            from = batch.To;
        }

        return [.. records.Select(record => $"{record.Offset} {Encoding.UTF8.GetString(record.Key!.Value.Span)}={(record.Value is { } value ? Encoding.UTF8.GetString(value.Span) : "")}")];
    }

    private static LogRecord Record(string key, string? value) =>
        new() { Key = Encoding.UTF8.GetBytes(key), Value = value is null ? (ReadOnlyMemory<byte>?)null : Encoding.UTF8.GetBytes(value), Headers = [] };

    private static Task<AppendResult> AppendAsync(EmbeddedLog log, string topic, string key, string? value)
    {
        One one = new();
        log.Append(topic, Record(key, value), one, 0);
        return one.Result.WaitAsync(TimeSpan.FromSeconds(30));
    }

    private sealed class One : IAppendCompletion
    {
        private readonly TaskCompletionSource<AppendResult> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<AppendResult> Result => _result.Task;

        public void OnAppended(long state, in AppendResult result) => _result.TrySetResult(result);
    }

    private sealed class Ignore : IAppendCompletion
    {
        public void OnAppended(long state, in AppendResult result)
        {
        }
    }
}
