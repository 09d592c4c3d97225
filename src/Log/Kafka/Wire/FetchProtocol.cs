namespace OrleansMqtt.Log.Kafka.Wire;

/// <summary>Requests for records and their answers, without fetch sessions; only what is committed is asked for.</summary>
internal static class FetchProtocol
{
    private const byte ReadCommitted = 1;

    public static void WriteHead(WireWriter writer, TimeSpan wait, int maximumBytes, int partitions)
    {
        writer.WriteInt32(-1);
        writer.WriteInt32((int)wait.TotalMilliseconds);
        writer.WriteInt32(1);
        writer.WriteInt32(maximumBytes);
        writer.WriteInt8(ReadCommitted);
        writer.WriteInt32(0);
        writer.WriteInt32(-1);
        writer.WriteInt32(partitions);
    }

    public static void WritePartition(WireWriter writer, ReadOnlySpan<byte> topic, int partition, long offset, int maximumBytes)
    {
        writer.WriteString(topic);
        writer.WriteInt32(1);
        writer.WriteInt32(partition);
        writer.WriteInt32(-1);
        writer.WriteInt64(offset);
        writer.WriteInt64(-1);
        writer.WriteInt32(maximumBytes);
    }

    public static void WriteTail(WireWriter writer)
    {
        // Nothing is left out of a session, and no rack is preferred.
        writer.WriteInt32(0);
        writer.WriteString("");
    }

    /// <summary>Reads up to the answers of topics, whose number follows.</summary>
    public static void ReadHead(ref WireReader reader)
    {
        _ = reader.ReadInt32();
        if (reader.ReadInt16() is var error and not WireError.None)
        {
            throw new WireException($"A fetch failed: {WireError.NameOf(error)}");
        }

        _ = reader.ReadInt32();
    }

    /// <summary>Reads what follows a partition's number up to its record batches.</summary>
    public static short ReadPartition(ref WireReader reader, List<(long ProducerId, long FirstOffset)> abortedTransactions, out long lastStableOffset)
    {
        var error = reader.ReadInt16();

        // The high watermark before, where the partition starts behind.
        _ = reader.ReadInt64();
        lastStableOffset = reader.ReadInt64();
        _ = reader.ReadInt64();
        abortedTransactions.Clear();
        for (var aborted = reader.ReadCount(); aborted > 0; aborted--)
        {
            abortedTransactions.Add((reader.ReadInt64(), reader.ReadInt64()));
        }

        _ = reader.ReadInt32();
        return error;
    }
}
