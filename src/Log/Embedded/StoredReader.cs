using Microsoft.Data.Sqlite;

namespace OrleansMqtt.Log.Embedded;

/// <summary>A connection that reads batches from disk. One caller at a time.</summary>
internal sealed class StoredReader : IDisposable
{
    private readonly SqliteConnection _connection;
    private readonly SqliteCommand _first;
    private readonly SqliteCommand _following;

    public StoredReader(string directory)
    {
        _connection = EmbeddedStore.OpenReader(directory);
        _first = EmbeddedStore.Command(_connection, "SELECT id FROM batches WHERE id BETWEEN $low AND $from ORDER BY id DESC LIMIT 1", "$low", "$from");
        _following = EmbeddedStore.Command(_connection, "SELECT id, count, records FROM batches WHERE id >= $from AND id < $end ORDER BY id", "$from", "$end");
    }

    /// <summary>The batches that hold records in [<paramref name="from"/>, <paramref name="end"/>), as many as the limits allow, at least one.</summary>
    /// <param name="reachesEnd">Whether there are no more.</param>
    public List<StoredBatch> Read(int partitionId, long from, long end, int maxRecords, int maxBytes, out bool reachesEnd)
    {
        // The batch that holds the offset may begin before it.
        _first.Parameters[0].Value = EmbeddedStore.RowId(partitionId, 0);
        _first.Parameters[1].Value = EmbeddedStore.RowId(partitionId, from);
        var firstId = _first.ExecuteScalar() is long id ? id : EmbeddedStore.RowId(partitionId, from);
        _following.Parameters[0].Value = firstId;
        _following.Parameters[1].Value = EmbeddedStore.RowId(partitionId, end);
        using var rows = _following.ExecuteReader();
        var batches = new List<StoredBatch>();
        long records = 0;
        long bytes = 0;
        while (rows.Read())
        {
            if (records >= maxRecords || bytes >= maxBytes)
            {
                reachesEnd = false;
                return batches;
            }

            var batch = new StoredBatch(EmbeddedStore.OffsetOf(rows.GetInt64(0)), rows.GetInt32(1), rows.GetFieldValue<byte[]>(2));
            if (batch.To <= from)
            {
                continue;
            }

            batches.Add(batch);
            records += batch.To - Math.Max(from, batch.From);
            bytes += batch.Bytes.Length;
        }

        reachesEnd = true;
        return batches;
    }

    /// <summary>The bytes of the batches that begin before <paramref name="end"/>.</summary>
    public long CountBytes(int partitionId, long end)
    {
        using var command = EmbeddedStore.Command(_connection, "SELECT total(length(records)) FROM batches WHERE id >= $low AND id < $high", "$low", "$high");
        command.Parameters[0].Value = EmbeddedStore.RowId(partitionId, 0);
        command.Parameters[1].Value = EmbeddedStore.RowId(partitionId, end);
        return (long)(double)command.ExecuteScalar()!;
    }

    public void Dispose()
    {
        _first.Dispose();
        _following.Dispose();
        _connection.Dispose();
    }
}
