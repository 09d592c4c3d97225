using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using OrleansMqtt.Log.Kafka;
using OrleansMqtt.Log.Kafka.Wire;
using Xunit;

namespace OrleansMqtt.Log.Tests;

/// <summary>The bytes of Kafka's protocol that the wire client writes and reads.</summary>
public sealed class WireFormatTests : IAppendCompletion
{
    // Offset, length, leader epoch, format, checksum; attributes, last offset, first and greatest time, producer 7 in epoch 3 from sequence 5, count; the records.
    private const string Golden =
        "0000000000000000" + "00000047" + "FFFFFFFF" + "02" + "CHECKSUM"
        + "0000" + "00000001" + "00000000000003E8" + "00000000000003E9" + "0000000000000007" + "0003" + "00000005" + "00000002"
        + "1A" + "00" + "00" + "00" + "026B" + "047631" + "02" + "0268" + "0231"
        + "0E" + "00" + "02" + "02" + "026B" + "01" + "00";

    private readonly List<(long State, AppendResult Result)> _results = [];

    void IAppendCompletion.OnAppended(long state, in AppendResult result) => _results.Add((state, result));

    [Theory]
    [InlineData(0, "00")]
    [InlineData(-1, "01")]
    [InlineData(63, "7E")]
    [InlineData(-64, "7F")]
    [InlineData(64, "8001")]
    [InlineData(300, "D804")]
    [InlineData(int.MaxValue, "FEFFFFFF0F")]
    [InlineData(long.MaxValue, "FEFFFFFFFFFFFFFFFF01")]
    [InlineData(long.MinValue, "FFFFFFFFFFFFFFFFFF01")]
    public void Numbers_of_variable_length_are_written_as_Kafka_does(long value, string bytes)
    {
        var buffer = new byte[10];
        var size = Varint.Write(buffer, 0, value);
        Assert.Equal((bytes, size), (Convert.ToHexString(buffer.AsSpan(0, size)), Varint.SizeOf(value)));
        var position = 0;
        Assert.Equal(value, Varint.Read(buffer, ref position));
        Assert.Equal(size, position);
    }

    [Fact]
    public void The_checksum_is_that_of_Castagnoli()
    {
        Assert.Equal(0xE3069283, Crc32C.Compute("123456789"u8));
        Assert.Equal(0x8A9136AA, Crc32C.Compute(new byte[32]));
    }

    [Fact]
    public void A_batch_is_written_as_the_protocol_says()
    {
        var batch = Batch(("k", "v1", 1_000, [new("h", "1"u8.ToArray())]), ("k", null, 1_001, []));
        batch.Assign(producerId: 7, epoch: 3, sequence: 5);
        var bytes = batch.Bytes.ToArray();
        var expected = Golden.Replace("CHECKSUM", Convert.ToHexString(bytes.AsSpan(17, 4)), StringComparison.Ordinal);
        Assert.Equal(expected, Convert.ToHexString(bytes));
        Assert.Equal(Crc32C.Compute(bytes.AsSpan(21)), System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(17)));
    }

    [Fact]
    public void A_batch_comes_apart_in_halves_that_hold_its_records_with_their_times_and_callers()
    {
        var batch = Batch([.. Enumerable.Range(0, 201).Select(i => ("k", (string?)$"value {i}", 1_000L + (i * 7 % 50), Array.Empty<LogHeader>()))]);
        var before = Read(batch, 0);
        var (first, second) = (new AppendBatch(), new AppendBatch());
        batch.SplitTo(first, second);
        Assert.Equal((100, 101), (first.Count, second.Count));
        var after = Read(first, 0).Concat(Read(second, 100)).ToArray();
        Assert.Equal(before.Select(Describe), after.Select(Describe));
        first.Complete(2, 40, NullLogger.Instance);
        second.Fail(AppendResult.Failed("no"), NullLogger.Instance);
        Assert.Equal(Enumerable.Range(0, 201).Select(i => (long)i), _results.Select(result => result.State));
        Assert.Equal((2, 139L, (string?)"no"), (_results[0].Result.Partition, _results[99].Result.Offset, _results[100].Result.Error));
    }

    [Fact]
    public void A_batch_takes_no_more_than_its_limit_but_always_one_record()
    {
        AppendBatch batch = new();
        LogRecord large = new() { Key = "k"u8.ToArray(), Value = new byte[5_000] };
        Assert.True(batch.TryAppend(large, 1, 1_000, this, 0));
        Assert.False(batch.TryAppend(new LogRecord { Key = large.Key }, 1, 1_000, this, 1));
        Assert.True(batch.TryAppend(large, 1, 20_000, this, 1));
    }

    [Fact]
    public void Aborted_transactions_and_markers_are_passed_over_and_the_offset_moves_behind_them()
    {
        // Producer 1 aborts, commits later; producer 2 writes in between.
        byte[] log = [
            .. Stored(0, 1, "aborted", isTransactional: true), .. Stored(1, 2, "other", isTransactional: false), .. Marker(2, 1, isCommit: false),
            .. Stored(3, 1, "committed", isTransactional: true), .. Marker(4, 1, isCommit: true)];
        RecordBatchReader reader = new();
        reader.Aborted.Add((1, 0));
        List<StoredRecord> records = [];
        var offset = 0L;
        Assert.True(reader.Read(log, ref offset, records));
        Assert.Equal(["other", "committed"], records.Select(record => Encoding.UTF8.GetString(record.Value!.Value.Span)));
        Assert.Equal(5, offset);

        // From the middle, and with the last batch cut off.
        records.Clear();
        offset = 1;
        reader.Aborted.Clear();
        Assert.True(reader.Read(log.AsSpan(0, log.Length - 1), ref offset, records));
        Assert.Equal((4, 2), (offset, records.Count));
    }

    [Fact]
    public void A_compressed_batch_is_left_alone()
    {
        var plain = Stored(0, 1, "plain", isTransactional: false);
        var packed = Stored(1, 1, "packed", isTransactional: false);
        packed[22] = 2;
        List<StoredRecord> records = [];
        var offset = 0L;
        Assert.False(new RecordBatchReader().Read([.. plain, .. packed], ref offset, records));
        Assert.Equal((1, 1), (offset, records.Count));
    }

    [Fact]
    public void A_SCRAM_login_is_that_of_RFC_7677()
    {
        ScramClient client = new(HashAlgorithmName.SHA256, "user", "pencil", "rOprNGfwEbeRWgbNEkqO");
        Assert.Equal("n,,n=user,r=rOprNGfwEbeRWgbNEkqO", Encoding.UTF8.GetString(client.First()));
        var final = client.Final("r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"u8);
        Assert.Equal("c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", Encoding.UTF8.GetString(final));
        client.Verify("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="u8);
        Assert.Throws<WireException>(() => client.Verify("v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="u8));
        Assert.Throws<WireException>(() => client.Verify("e=invalid-proof"u8));
        Assert.Throws<WireException>(() => client.Final("r=another,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"u8));
    }

    [Fact]
    public void Lists_of_brokers_are_understood_as_librdkafka_does() => Assert.Equal(
        [new("a", 1), new("b", 9092), new("::1", 3), new("::1", 9092), new("c", 4)],
        BrokerAddress.ParseList("a:1, b,[::1]:3,[::1],PLAINTEXT://c:4"));

    [Theory]
    [InlineData("Client", "sasl.mechanism", "SCRAM-SHA-512", null)]
    [InlineData("Client", "sasl.mechanism", "GSSAPI", "Client:sasl.mechanism")]
    [InlineData("Client", "security.protocol", "sasl_ssl", "Client:security.protocol")]
    [InlineData("Client", "security.protocol", "ssl", null)]
    [InlineData("Client", "debug", "all", "Client:debug")]
    [InlineData("Producer", "linger.ms", "5", "Producer:linger.ms")]
    [InlineData("Consumer", "fetch.min.bytes", "5", "Consumer:fetch.min.bytes")]
    [InlineData("Admin", "socket.timeout.ms", "5", null)]
    public void A_setting_that_is_not_known_is_named(string section, string name, string value, string? unknown)
    {
        KafkaLogOptions options = new();
        var settings = section switch { "Client" => options.Client, "Producer" => options.Producer, "Consumer" => options.Consumer, _ => options.Admin };
        settings[name] = value;
        Assert.Equal(unknown, WireSettings.FindUnknown(options));
    }

    private static byte[] Stored(long offset, long producerId, string value, bool isTransactional)
    {
        AppendBatch batch = new();
        batch.TryAppend(new() { Key = "k"u8.ToArray(), Value = Encoding.UTF8.GetBytes(value) }, 1, int.MaxValue, new WireFormatTests(), 0);
        return Place(batch, offset, producerId, isTransactional ? (byte)0x10 : (byte)0);
    }

    private static byte[] Marker(long offset, long producerId, bool isCommit)
    {
        AppendBatch batch = new();
        batch.TryAppend(new() { Key = new byte[] { 0, 0, 0, isCommit ? (byte)1 : (byte)0 }, Value = new byte[6] }, 1, int.MaxValue, new WireFormatTests(), 0);
        return Place(batch, offset, producerId, 0x30);
    }

    private static byte[] Place(AppendBatch batch, long offset, long producerId, byte attributes)
    {
        batch.Assign(producerId, 0, 0);
        var bytes = batch.Bytes.ToArray();
        System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(bytes, offset);
        bytes[22] = attributes;
        return bytes;
    }

    private AppendBatch Batch(params (string Key, string? Value, long Timestamp, LogHeader[] Headers)[] records)
    {
        AppendBatch batch = new();
        for (var i = 0; i < records.Length; i++)
        {
            LogRecord record = new()
            {
                Key = Encoding.UTF8.GetBytes(records[i].Key),
                Value = records[i].Value is { } value ? Encoding.UTF8.GetBytes(value) : (ReadOnlyMemory<byte>?)null,
                Headers = records[i].Headers,
            };
            Assert.True(batch.TryAppend(record, records[i].Timestamp, int.MaxValue, this, i));
        }

        return batch;
    }

    private static List<StoredRecord> Read(AppendBatch batch, long offset)
    {
        batch.Assign(1, 0, 0);
        List<StoredRecord> records = [];
        var bytes = batch.Bytes.ToArray();
        System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(bytes, offset);
        Assert.True(new RecordBatchReader().Read(bytes, ref offset, records));
        return records;
    }

    private static string Describe(StoredRecord record) => $"{record.Offset} {record.TimestampMilliseconds} {Encoding.UTF8.GetString(record.Value!.Value.Span)}";
}
