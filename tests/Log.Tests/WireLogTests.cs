using System.Text;
using Confluent.Kafka;
using Microsoft.Extensions.DependencyInjection;
using OrleansMqtt.TestKit;
using Xunit;

namespace OrleansMqtt.Log.Tests;

/// <summary>The contract by the wire client, and what could go wrong in it alone.</summary>
public sealed class WireLogTests() : KafkaLogContract("Wire")
{
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
            Log.Append(Topic, i == 500 ? new() { Key = "x"u8.ToArray(), Value = new byte[3_000_000], Partition = 0 } : Record("x", $"{i}", partition: 0), completions, i);
        }

        var results = await completions.All.WaitAsync(Patience);
        Assert.StartsWith("MsgSizeTooLarge", results[500].Error, StringComparison.Ordinal);
        Assert.True(results[500].IsRefused);
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
