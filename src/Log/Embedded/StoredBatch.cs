namespace OrleansMqtt.Log.Embedded;

/// <summary>Consecutive records of one partition as they are stored: one row. The records are views of the row's bytes and decoded when first read.</summary>
internal sealed class StoredBatch(long from, int count, byte[] bytes)
{
    private StoredRecord[]? _records;

    public long From => from;

    public int Count => count;

    /// <summary>The offset after the last record.</summary>
    public long To => from + count;

    public byte[] Bytes => bytes;

    /// <summary>Roughly, with what decoding adds.</summary>
    public int SizeInMemory => bytes.Length + ((count + 1) * 160);

    public StoredRecord[] Records => _records ??= RecordBatchCodec.Decode(from, count, bytes);
}
