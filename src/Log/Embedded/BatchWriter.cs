using Microsoft.Data.Sqlite;

namespace OrleansMqtt.Log.Embedded;

/// <summary>Gives offsets, gathers the records of a group into batches per partition and writes their rows. Used by the writer's thread alone.</summary>
internal sealed class BatchWriter : IDisposable
{
    private readonly Dictionary<EmbeddedPartition, Gathering> _gatherings = [];
    private readonly List<Gathering> _touched = [];
    private readonly int _maximumBytes;
    private readonly SqliteCommand _insert;
    private readonly SqliteCommand _findNewest;
    private readonly SqliteCommand _setNewest;
    private readonly SqliteCommand _delete;
    private long _now;

    public BatchWriter(SqliteConnection connection, int maximumBytes)
    {
        _maximumBytes = maximumBytes;
        _insert = EmbeddedStore.Command(connection, "INSERT INTO batches VALUES($id, $count, $time, $tombstone, $records)", "$id", "$count", "$time", "$tombstone", "$records");
        _findNewest = EmbeddedStore.Command(connection, "SELECT id FROM newest WHERE partition = $partition AND key = $key", "$partition", "$key");
        _setNewest = EmbeddedStore.Command(connection, "INSERT OR REPLACE INTO newest VALUES($partition, $key, $id)", "$partition", "$key", "$id");
        _delete = EmbeddedStore.Command(connection, "DELETE FROM batches WHERE id = $id", "$id");
    }

    /// <summary>Begins a group.</summary>
    public void Start()
    {
        _touched.Clear();
        _now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
    }

    /// <summary>Adds a record to the group and returns its offset.</summary>
    /// <param name="partition">Where to.</param>
    /// <param name="record">The record.</param>
    /// <param name="size">What <see cref="RecordBatchCodec.SizeOf"/> said: the caller asked, so that a record that cannot be stored never gets here.</param>
    public long Add(EmbeddedPartition partition, in LogRecord record, int size)
    {
        if (!_gatherings.TryGetValue(partition, out var gathering))
        {
            _gatherings.Add(partition, gathering = new Gathering(partition));
        }

        if (!gathering.IsTouched)
        {
            gathering.Touch();
            _touched.Add(gathering);
        }

        if (gathering.Count > 0 && gathering.Length + size > _maximumBytes)
        {
            WriteRow(gathering);
        }

        var offset = gathering.Add(record, record.TimestampMilliseconds == 0 ? _now : record.TimestampMilliseconds, size);
        if (partition.IsCompacted)
        {
            var stored = WriteRow(gathering);
            Compact(partition, stored, record);
        }

        return offset;
    }

    /// <summary>Writes the rows that are still open.</summary>
    public void Flush()
    {
        foreach (var gathering in _touched)
        {
            if (gathering.Count > 0)
            {
                WriteRow(gathering);
            }
        }
    }

    /// <summary>The group was not committed: its offsets are free again.</summary>
    public void Undo()
    {
        foreach (var gathering in _touched)
        {
            gathering.Undo();
        }

        _touched.Clear();
    }

    /// <summary>The group is committed: readers may see it.</summary>
    public void Publish(LogMetrics metrics)
    {
        foreach (var gathering in _touched)
        {
            gathering.Publish(metrics);
        }

        _touched.Clear();
    }

    public void Dispose()
    {
        _insert.Dispose();
        _findNewest.Dispose();
        _setNewest.Dispose();
        _delete.Dispose();
    }

    private StoredBatch WriteRow(Gathering gathering)
    {
        var batch = gathering.Take(out var isTombstone);
        _insert.Parameters[0].Value = EmbeddedStore.RowId(gathering.Partition.Id, batch.From);
        _insert.Parameters[1].Value = batch.Count;
        _insert.Parameters[2].Value = _now;
        _insert.Parameters[3].Value = gathering.Partition.IsCompacted && isTombstone ? 1 : 0;
        _insert.Parameters[4].Value = batch.Bytes;
        _insert.ExecuteNonQuery();
        return batch;
    }

    /// <summary>The row takes the place of the key's older row.</summary>
    private void Compact(EmbeddedPartition partition, StoredBatch stored, in LogRecord record)
    {
        var key = record.Key.ToArray();
        _findNewest.Parameters[0].Value = partition.Id;
        _findNewest.Parameters[1].Value = key;
        if (_findNewest.ExecuteScalar() is long older)
        {
            _delete.Parameters[0].Value = older;
            _delete.ExecuteNonQuery();
        }

        _setNewest.Parameters[0].Value = partition.Id;
        _setNewest.Parameters[1].Value = key;
        _setNewest.Parameters[2].Value = EmbeddedStore.RowId(partition.Id, stored.From);
        _setNewest.ExecuteNonQuery();
    }

    private sealed class Gathering(EmbeddedPartition partition)
    {
        private readonly List<StoredBatch> _written = [];
        private byte[] _buffer = new byte[4096];
        private long _before;
        private long _from;
        private bool _isTombstone;

        public EmbeddedPartition Partition => partition;

        public bool IsTouched { get; private set; }

        public int Count { get; private set; }

        public int Length { get; private set; }

        public void Touch()
        {
            IsTouched = true;
            _before = partition.Next;
            _written.Clear();
            Reset();
        }

        public long Add(in LogRecord record, long timestamp, int size)
        {
            if (Length + size > _buffer.Length)
            {
                Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, Length + size));
            }

            Length += RecordBatchCodec.Write(record, timestamp, _buffer.AsSpan(Length));
            Count++;
            _isTombstone = record.Value is null;
            return partition.Next++;
        }

        public StoredBatch Take(out bool isTombstone)
        {
            var batch = new StoredBatch(_from, Count, _buffer.AsSpan(0, Length).ToArray());
            isTombstone = _isTombstone;
            _written.Add(batch);
            Reset();
            return batch;
        }

        public void Undo()
        {
            partition.Next = _before;
            IsTouched = false;
        }

        public void Publish(LogMetrics metrics)
        {
            IsTouched = false;
            partition.Publish(_written);
            long bytes = 0;
            foreach (var batch in _written)
            {
                bytes += batch.Bytes.Length;
            }

            if (partition.Size is { } size)
            {
                partition.Size = size + bytes;
            }

            metrics.CountAppended(partition.Name.Topic, partition.Next - _before, bytes);
            _written.Clear();
            if (_buffer.Length > 1024 * 1024)
            {
                _buffer = new byte[4096];
            }
        }

        private void Reset()
        {
            Length = RecordBatchCodec.WriteVersion(_buffer);
            Count = 0;
            _from = partition.Next;
        }
    }
}
