using System.Text;
using Confluent.Kafka;
using Microsoft.Extensions.DependencyInjection;
using OrleansMqtt.TestKit;
using Xunit;

namespace OrleansMqtt.Log.Tests;

/// <summary>The contract by the wire client, and what could go wrong in it alone.</summary>
public sealed class WireLogTests() : KafkaLogContract("Wire")
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    [Fact]
    public async Task What_it_writes_both_clients_read_alike()
    {
        LogHeader[] headers = [new("zilla:qos", "1"u8.ToArray()), new("ä", "2"u8.ToArray()), new("", Array.Empty<byte>()), new("null", null)];
        Completions completions = new(300);
        var now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        for (var i = 0; i < 300; i++)
        {
            // Times that go up and down, values from nothing to more than a block of memory.
            LogRecord record = new()
            {
                Key = Encoding.UTF8.GetBytes($"key {i % 7}"),
                Value = i % 10 == 0 ? null : new byte[i * 97],
                Headers = i % 3 == 0 ? null! : headers,
                TimestampMilliseconds = now + (i % 2 == 0 ? i : -i),
                Partition = 0,
            };
            Log.Append(Topic, record, completions, i);
        }

        Assert.All(await completions.All.WaitAsync(Patience), result => Assert.True(result.IsStored, result.Error));
        var byWire = (await ReadAsync(0, 0, 300)).SelectMany(batch => batch.Records).ToArray();
        var settings = SettingsFor(await KafkaBroker.SharedAsync());
        settings["Kafka:Transport"] = "Confluent";
        await using var confluent = Open(settings);
        var byConfluent = await ReadRangesAsync(confluent.GetRequiredService<IMessageLog>(), 300);
        Assert.Equal(byConfluent.Select(Describe), (await ReadRangesAsync(Log, 300)).Select(Describe));

        Assert.Equal(byConfluent.Select(Describe), byWire.Select(Describe));
        Assert.Equal(now + 298, byWire[298].TimestampMilliseconds);
    }

    [Theory]
    [InlineData(CompressionType.Gzip)]
    [InlineData(CompressionType.Snappy)]
    [InlineData(CompressionType.Lz4)]
    [InlineData(CompressionType.Zstd)]
    public async Task Compressed_records_of_other_producers_are_read_between_others_and_after_a_seek(CompressionType compression)
    {
        var broker = await KafkaBroker.SharedAsync();
        await AppendAsync(Record("x", "before", partition: 0));
        await using var reader = Log.OpenReader(Topic, 0, 0);
        Assert.Equal(["before"], Values([await reader.ReadAsync(10, Token)]));
        using var producer = new ProducerBuilder<string, string>(new ProducerConfig { BootstrapServers = broker.BootstrapServers, CompressionType = compression, LingerMs = 50 }).Build();
        var text = new string('z', 5_000);
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => producer.ProduceAsync(new TopicPartition(Topic, 0), new() { Key = "x", Value = text })));
        await AppendAsync(Record("x", "after", partition: 0));

        Assert.Equal([.. Enumerable.Repeat(text, 20), "after"], await ReadValuesAsync(reader, 21));
        reader.Seek(0);
        Assert.Equal(["before", .. Enumerable.Repeat(text, 20), "after"], await ReadValuesAsync(reader, 22));
        await using var other = Log.OpenReader(Topic, 0, 21);
        Assert.Equal(["after"], Values([await other.ReadAsync(10, Token)]));
        Assert.Equal(["before", .. Enumerable.Repeat(text, 20), "after"], (await ReadRangesAsync(Log, 22)).Select(record => Encoding.UTF8.GetString(record.Value!.Value.Span)));
    }

    [Fact]
    public async Task A_record_that_is_too_large_fails_alone_and_the_others_keep_their_order()
    {
        Completions completions = new(1_000);
        for (var i = 0; i < 1_000; i++)
        {
            Log.Append(Topic, i == 500 ? new() { Key = "x"u8.ToArray(), Value = new byte[2_000_000], Partition = 0 } : Record("x", $"{i}", partition: 0), completions, i);
        }

        var results = await completions.All.WaitAsync(Patience);
        Assert.StartsWith("MsgSizeTooLarge", results[500].Error, StringComparison.Ordinal);
        Assert.Equal(999, results.Count(result => result.IsStored));
        Assert.Equal(Enumerable.Range(0, 1_000).Where(i => i != 500).Select(i => $"{i}"), Values(await ReadAsync(0, 0, 999)));
    }

    [Fact]
    public async Task A_topic_that_takes_small_batches_only_gets_small_ones()
    {
        var broker = await KafkaBroker.SharedAsync();
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = broker.BootstrapServers }).Build();
        await admin.IncrementalAlterConfigsAsync(new()
        {
            [new() { Type = Confluent.Kafka.Admin.ResourceType.Topic, Name = Topic }] = [new() { Name = "max.message.bytes", Value = "5000" }],
        });
        Completions completions = new(3_000);
        for (var i = 0; i < 3_000; i++)
        {
            Log.Append(Topic, Record("x", $"{i}", partition: i % 2), completions, i);
        }

        Assert.All(await completions.All.WaitAsync(Patience), result => Assert.True(result.IsStored, result.Error));
        Assert.Equal(Enumerable.Range(0, 3_000).Where(i => i % 2 == 0).Select(i => $"{i}"), Values(await ReadAsync(0, 0, 1_500)));
    }

    [Fact]
    public async Task A_reader_that_is_far_behind_gets_everything_when_it_goes_on()
    {
        const int Count = 60_000;
        Completions completions = new(Count);
        await using var reader = Log.OpenReader(Topic, 0, 0);
        for (var i = 0; i < Count; i++)
        {
            Log.Append(Topic, Record("x", $"{i}", partition: 0), completions, i);
        }

        await completions.All.WaitAsync(Patience);
        Assert.Equal(Enumerable.Range(0, Count).Select(i => $"{i}"), await ReadValuesAsync(reader, Count));
    }

    [Fact]
    public async Task A_broker_that_is_killed_under_load_again_and_again_stores_each_record_once_in_order()
    {
        await using var broker = await KafkaBroker.StartOwnAsync();
        await using var services = Open(SettingsFor(broker));
        var log = services.GetRequiredService<IMessageLog>();
        await log.EnsureTopicsAsync([new(Topic, 3, IsCompacted: false)], Token);
        const int Count = 60_000;
        Completions completions = new(Count);
        await using var reader = log.OpenReader(Topic, 1, 0);
        var reading = ReadValuesAsync(reader, Count / 3);
        var appending = Task.Run(async () =>
        {
            // About as long as the kills take.
            using PeriodicTimer pace = new(TimeSpan.FromMilliseconds(5));
            for (var i = 0; i < Count; i++)
            {
                log.Append(Topic, Record("x", $"{i}", partition: i % 3), completions, i);
                if (i % 30 == 0)
                {
                    await pace.WaitForNextTickAsync();
                }
            }
        });
        for (var kill = 0; kill < 2; kill++)
        {
            var before = completions.Count;
            await UntilAsync(() => completions.Count > before);
            await broker.KillAsync();
            await broker.StartAgainAsync();
        }

        await appending;
        var results = await completions.All.WaitAsync(Patience);
        Assert.All(results, result => Assert.True(result.IsStored, result.Error));
        Assert.Equal(Enumerable.Range(0, Count).Where(i => i % 3 == 1).Select(i => $"{i}"), await reading);
        for (var partition = 0; partition < 3; partition++)
        {
            await using var fromStart = log.OpenReader(Topic, partition, 0);
            Assert.Equal(Enumerable.Range(0, Count).Where(i => i % 3 == partition).Select(i => $"{i}"), await ReadValuesAsync(fromStart, Count / 3));
            Assert.Equal(Count / 3, fromStart.Position);
        }

        Assert.Equal(Enumerable.Range(0, Count / 3).Select(offset => (long)offset), results.Where((_, i) => i % 3 == 2).Select(result => result.Offset));
    }

    [Fact]
    public async Task Records_whose_acknowledgement_is_lost_on_the_way_are_stored_once_and_acknowledged_later()
    {
        const int Count = 40_000;
        const int Cuts = 20;
        var (port, proxyPort) = (TestPorts.Free(), TestPorts.Free());
        using CuttingProxy proxy = new(proxyPort, port);
        await using var broker = await KafkaBroker.StartOwnAsync(port, $"advertised.listeners=PLAINTEXT://127.0.0.1:{proxyPort}");
        await using var services = Open(SettingsFor(broker));
        var log = services.GetRequiredService<IMessageLog>();
        await log.EnsureTopicsAsync([new(Topic, 3, IsCompacted: false)], Token);
        Completions completions = new(Count);
        for (var cut = 0; cut < Cuts; cut++)
        {
            proxy.Cut();
            for (var i = cut * Count / Cuts; i < (cut + 1) * Count / Cuts; i++)
            {
                log.Append(Topic, Record("x", $"{i}", partition: i % 3), completions, i);
            }

            await UntilAsync(() => proxy.HasCut);
        }

        var results = await completions.All.WaitAsync(Patience);
        Assert.All(results, result => Assert.True(result.IsStored, result.Error));
        for (var partition = 0; partition < 3; partition++)
        {
            var expected = Enumerable.Range(0, Count).Where(i => i % 3 == partition).ToArray();
            await using var reader = log.OpenReader(Topic, partition, 0);
            Assert.Equal(expected.Select(i => $"{i}"), await ReadValuesAsync(reader, expected.Length));
            Assert.Equal(Enumerable.Range(0, expected.Length).Select(offset => (long)offset), expected.Select(i => results[i].Offset));
            Assert.Equal(expected.Length, (await log.GetOffsetsAsync([new(Topic, partition)], Token))[0].End);
        }
    }

    [Fact]
    public async Task While_Kafka_hangs_the_log_says_so_and_offsets_wait_for_it_longer_than_any_time_limit()
    {
        await using var broker = await KafkaBroker.StartOwnAsync();
        await using var services = Open(SettingsFor(broker));
        var log = services.GetRequiredService<IMessageLog>();
        await log.EnsureTopicsAsync([new(Topic, 2, IsCompacted: false)], Token);
        Completions completions = new(1);
        log.Append(Topic, Record("x", "1", partition: 1), completions, 0);
        Assert.True((await completions.All.WaitAsync(Patience))[0].IsStored);
        await broker.PauseAsync();
        await UntilAsync(() => !log.Health.IsReachable);
        var offsets = log.GetOffsetsAsync([new(Topic, 0), new(Topic, 1)], CancellationToken.None);
        var others = log.GetOffsetsAsync([new(Topic, 1)], CancellationToken.None);
        using CancellationTokenSource cancelling = new(TimeSpan.FromSeconds(1));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => log.GetOffsetsAsync([new(Topic, 0)], cancelling.Token));

        // Past the limits of a probe and of a question for offsets, 2 and 5 s each.
        await Assert.ThrowsAsync<TimeoutException>(() => Task.WhenAny(offsets, others).WaitAsync(TimeSpan.FromSeconds(15)));
        Assert.False(log.Health.IsReachable);
        await broker.ResumeAsync();

        Assert.Equal([new(0, 0), new(0, 1)], await offsets.WaitAsync(Patience));
        Assert.Equal([new(0, 1)], await others.WaitAsync(Patience));
        await UntilAsync(() => log.Health.IsReachable);
    }

    [Fact]
    public async Task The_log_closes_while_offsets_wait()
    {
        await using var broker = await KafkaBroker.StartOwnAsync();
        var services = Open(SettingsFor(broker));
        var log = services.GetRequiredService<IMessageLog>();
        await log.EnsureTopicsAsync([new(Topic, 1, IsCompacted: false)], Token);
        await log.GetOffsetsAsync([new(Topic, 0)], Token);
        await broker.PauseAsync();
        var offsets = log.GetOffsetsAsync([new(Topic, 0)], CancellationToken.None);
        await services.DisposeAsync().AsTask().WaitAsync(Patience);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => offsets.WaitAsync(Patience));
        await broker.ResumeAsync();
    }

    [Fact]
    public async Task What_is_not_acknowledged_when_the_log_closes_fails()
    {
        await using var broker = await KafkaBroker.StartOwnAsync();
        var services = Open(SettingsFor(broker));
        var log = services.GetRequiredService<IMessageLog>();
        await log.EnsureTopicsAsync([new(Topic, 1, IsCompacted: false)], Token);
        await broker.StopAsync();
        Completions completions = new(2);
        log.Append(Topic, Record("x", "1"), completions, 0);
        await services.DisposeAsync();
        log.Append(Topic, Record("x", "2"), completions, 1);
        Assert.All(await completions.All.WaitAsync(Patience), result => Assert.Contains("closed", result.Error, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Settings_that_the_wire_client_does_not_know_are_refused_or_leave_the_records_to_the_other_client()
    {
        var settings = SettingsFor(await KafkaBroker.SharedAsync());
        settings["Kafka:Client:socket.keepalive.enable"] = "true";
        await using var refused = Open(settings);
        var exception = Assert.Throws<Microsoft.Extensions.Options.OptionsValidationException>(() => refused.GetRequiredService<IMessageLog>());
        Assert.Contains("Log:Kafka:Client:socket.keepalive.enable", exception.Message, StringComparison.Ordinal);

        settings["Kafka:Transport"] = "Auto";
        await using var services = Open(settings);
        Assert.IsType<Kafka.KafkaAppender>(((Kafka.KafkaLog)services.GetRequiredService<IMessageLog>()).Appender);
        settings.Remove("Kafka:Client:socket.keepalive.enable");
        await using var wire = Open(settings);
        Assert.IsType<Kafka.Wire.WireAppender>(((Kafka.KafkaLog)wire.GetRequiredService<IMessageLog>()).Appender);
    }

    private static async Task<List<string>> ReadValuesAsync(ILogReader reader, int count)
    {
        List<string> values = [];
        var next = reader.Position;
        while (values.Count < count)
        {
            var batch = await reader.ReadAsync(1_000, new CancellationTokenSource(Patience).Token);
            Assert.Equal(next, batch.From);
            next = batch.To;
            values.AddRange(Values([batch]));
        }

        return values;
    }

    private async Task<List<StoredRecord>> ReadRangesAsync(IMessageLog log, int count)
    {
        List<StoredRecord> records = [];
        for (var from = 0L; records.Count < count;)
        {
            var batch = await log.ReadRangeAsync(Topic, 0, from, 7, Token);
            Assert.Equal(from, batch.From);
            Assert.InRange(batch.Records.Length, 0, 7);
            from = batch.To;
            records.AddRange(batch.Records);
        }

        return records;
    }

    private static string Describe(StoredRecord record) =>
        $"{record.Offset} {record.TimestampMilliseconds} {Hex(record.Key)} {Hex(record.Value)} {string.Join(' ', record.Headers.Select(header => $"{header.Name}={Hex(header.Value)}"))}";

    private static string Hex(ReadOnlyMemory<byte>? bytes) => bytes is { } present ? Convert.ToHexString(present.Span) : "null";
}
