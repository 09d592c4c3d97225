using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using OrleansMqtt.Log.Kafka;

namespace OrleansMqtt.Log.Embedded;

/// <summary>The log in one directory: SQLite in WAL mode, for one process on one machine.</summary>
internal sealed class EmbeddedLog : IMessageLog
{
    private const int MaximumRecordBytes = 512 * 1024 * 1024;
    private const int StoredReadBytes = 4 * 1024 * 1024;

    private readonly EmbeddedLogOptions _options;
    private readonly string _directory;
    private readonly DirectoryLock _directoryLock;
    private readonly ConcurrentDictionary<string, EmbeddedTopic> _topics = new(StringComparer.Ordinal);
    private readonly ConcurrentBag<StoredReader> _readers = [];
    private readonly Retention _retention;
    private bool _isDisposed;

    /// <exception cref="LogConfigurationException">The directory cannot be used.</exception>
    public EmbeddedLog(EmbeddedLogOptions options, ILogger<EmbeddedLog> logger)
    {
        _options = options;
        _directory = Path.GetFullPath(options.Directory);
        _directoryLock = DirectoryLock.Acquire(_directory);
        SqliteConnection? connection = null;
        try
        {
            connection = EmbeddedStore.OpenWriter(_directory);
            LoadTopics(connection);
            LoadOwners(connection);
            Writer = new EmbeddedWriter(connection, Metrics, logger);
        }
        catch (Exception exception)
        {
            connection?.Dispose();
            _directoryLock.Dispose();
            if (exception is SqliteException)
            {
                throw new LogConfigurationException($"Log:Embedded:Directory is '{options.Directory}', whose log cannot be read ({exception.Message}): an undamaged log is needed.");
            }

            throw;
        }

        _retention = new Retention(this, options, logger);
    }

    public string Description => $"embedded log in {_directory}";

    public LogHealth Health => Writer.Error is { } error ? new LogHealth(false, $"{Description} cannot write: {error}") : new LogHealth(true, Description);

    internal LogMetrics Metrics { get; } = new("embedded");

    internal EmbeddedWriter Writer { get; }

    /// <summary>The epoch of each owner's name. The writer's thread alone uses it.</summary>
    internal Dictionary<string, long> Owners { get; } = new(StringComparer.Ordinal);

    internal IEnumerable<EmbeddedPartition> Partitions => _topics.Values.SelectMany(topic => topic.Partitions);

    public Task<Guid[]> GetTopicIdsAsync(IReadOnlyList<string> topics, CancellationToken cancellationToken) => Task.FromResult(new Guid[topics.Count]);

    public async Task EnsureTopicsAsync(IReadOnlyCollection<TopicSpecification> topics, CancellationToken cancellationToken)
    {
        foreach (var topic in topics)
        {
            TopicCheck.ThrowIfInvalid(topic);
        }

        await Writer.ExecuteAsync(writer =>
        {
            foreach (var specification in topics)
            {
                Check(writer.Connection, specification);
            }

            foreach (var specification in topics)
            {
                Create(writer.Connection, specification);
            }

            return true;
        }).WaitAsync(cancellationToken);

        // Read back what is committed, not what was meant.
        await Writer.ExecuteAsync(writer =>
        {
            LoadTopics(writer.Connection);
            return true;
        }).WaitAsync(cancellationToken);
    }

    public int GetPartitionCount(string topic) => TopicOf(topic).Partitions.Length;

    public void Append(string topic, in LogRecord record, IAppendCompletion completion, long state)
    {
        var size = RecordBatchCodec.SizeOf(record);
        if (size is < 0 or > MaximumRecordBytes)
        {
            Metrics.CountFailed(topic);
            completion.OnAppended(state, AppendResult.Refused($"The record is too large: at most {MaximumRecordBytes} bytes are stored."));
            return;
        }

        Writer.Enqueue(new PendingAppend
        {
            Partition = PartitionOf(topic, record),
            Record = record,
            Completion = completion,
            State = state,
            Size = size,
            StartedAt = LogMetrics.MeasuresAppends ? Stopwatch.GetTimestamp() : 0,
        });
    }

    public async Task<ILogOwner> OpenOwnerAsync(string ownerName, CancellationToken cancellationToken)
    {
        var epoch = await Writer.ExecuteAsync(writer =>
        {
            using var command = EmbeddedStore.Command(
                writer.Connection, "INSERT INTO owners VALUES($name, 1) ON CONFLICT(name) DO UPDATE SET epoch = epoch + 1 RETURNING epoch", "$name");
            command.Parameters[0].Value = ownerName;
            return Owners[ownerName] = (long)command.ExecuteScalar()!;
        }).WaitAsync(cancellationToken);
        return new EmbeddedOwner(this, ownerName, epoch);
    }

    public ILogReader OpenReader(string topic, int partition, long offset) => new EmbeddedReader(this, PartitionOf(topic, partition), offset);

    public async Task<LogBatch> ReadRangeAsync(string topic, int partition, long from, int maxRecords, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxRecords);
        cancellationToken.ThrowIfCancellationRequested();
        var source = PartitionOf(topic, partition);
        if (!source.TryReadRecent(from, maxRecords, out var batch))
        {
            ThrowIfOutOfRange(source, from);
            batch = await ReadStoredAsync(source, from, maxRecords, cancellationToken);
        }

        Metrics.CountRead(topic, batch!.Records.Length);
        return batch;
    }

    public Task<OffsetRange[]> GetOffsetsAsync(IReadOnlyList<TopicPartitionId> partitions, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var ranges = new OffsetRange[partitions.Count];
        for (var i = 0; i < ranges.Length; i++)
        {
            ranges[i] = PartitionOf(partitions[i].Topic, partitions[i].Partition).Range;
        }

        return Task.FromResult(ranges);
    }

    public async ValueTask DisposeAsync()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        await _retention.DisposeAsync();
        await Task.Run(Writer.Dispose);
        while (_readers.TryTake(out var reader))
        {
            reader.Dispose();
        }

        _directoryLock.Dispose();
    }

    internal EmbeddedPartition PartitionOf(string topic, in LogRecord record)
    {
        var partitions = TopicOf(topic).Partitions;
        var number = record.Partition ?? KafkaPartitioner.PartitionOf(record.Key.Span, partitions.Length);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)number, (uint)partitions.Length, nameof(record));
        return partitions[number];
    }

    internal static int CheckedSizeOf(in LogRecord record)
    {
        var size = RecordBatchCodec.SizeOf(record);
        return size is >= 0 and <= MaximumRecordBytes
            ? size
            : throw new ArgumentException($"The record is too large: at most {MaximumRecordBytes} bytes are stored.", nameof(record));
    }

    internal void ThrowIfOutOfRange(EmbeddedPartition partition, long offset)
    {
        var range = partition.Range;
        if (offset < range.Start || offset > range.End)
        {
            throw new OffsetOutOfRangeException(partition.Name, offset, range);
        }
    }

    /// <summary>Reads from disk.</summary>
    internal Task<LogBatch> ReadStoredAsync(EmbeddedPartition partition, long from, int maxRecords, CancellationToken cancellationToken) =>
        OnReaderAsync(
            reader =>
            {
                // The end is taken first: what is committed later may be read too, what was committed before is read for certain.
                var end = partition.Range.End;
                var batches = reader.Read(partition.Id, from, end, maxRecords, StoredReadBytes, out var reachesEnd);
                ThrowIfOutOfRange(partition, from);
                return partition.Collect(from, maxRecords, batches, reachesEnd ? end : long.MaxValue);
            },
            cancellationToken);

    internal Task ApplyRetentionAsync() => _retention.ApplyAsync();

    /// <summary>The bytes of the batches that begin before <paramref name="end"/>, counted on disk without holding up the writer.</summary>
    internal Task<long> CountBytesAsync(EmbeddedPartition partition, long end) => OnReaderAsync(reader => reader.CountBytes(partition.Id, end), CancellationToken.None);

    private EmbeddedPartition PartitionOf(string topic, int partition)
    {
        var partitions = TopicOf(topic).Partitions;
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)partition, (uint)partitions.Length, nameof(partition));
        return partitions[partition];
    }

    private EmbeddedTopic TopicOf(string topic) =>
        _topics.TryGetValue(topic, out var found) ? found : throw new ArgumentException($"Topic '{topic}' is not known: EnsureTopicsAsync comes first.", nameof(topic));

    private Task<T> OnReaderAsync<T>(Func<StoredReader, T> read, CancellationToken cancellationToken) => Task.Run(
        () =>
        {
            ObjectDisposedException.ThrowIf(_isDisposed, typeof(IMessageLog));
            if (!_readers.TryTake(out var reader))
            {
                reader = new StoredReader(_directory);
            }

            try
            {
                return read(reader);
            }
            finally
            {
                _readers.Add(reader);
            }
        },
        cancellationToken);

    private static void Check(SqliteConnection connection, TopicSpecification specification)
    {
        using var command = EmbeddedStore.Command(connection, "SELECT partitions, compacted FROM topics WHERE name = $name", "$name");
        command.Parameters[0].Value = specification.Name;
        using var rows = command.ExecuteReader();
        if (!rows.Read())
        {
            return;
        }

        if (rows.GetInt32(0) != specification.Partitions && !specification.AcceptAnyPartitionCount)
        {
            throw TopicCheck.WrongPartitions(specification, rows.GetInt32(0));
        }

        if (rows.GetBoolean(1) != specification.IsCompacted)
        {
            throw TopicCheck.WrongCleanupPolicy(specification, rows.GetBoolean(1) ? "compact" : "delete");
        }
    }

    private static void Create(SqliteConnection connection, TopicSpecification specification)
    {
        using var topic = EmbeddedStore.Command(
            connection,
            "INSERT INTO topics(name, partitions, compacted) VALUES($name, $partitions, $compacted) ON CONFLICT DO NOTHING RETURNING id",
            "$name",
            "$partitions",
            "$compacted");
        topic.Parameters[0].Value = specification.Name;
        topic.Parameters[1].Value = specification.Partitions;
        topic.Parameters[2].Value = specification.IsCompacted ? 1 : 0;
        if (topic.ExecuteScalar() is not long id)
        {
            return;
        }

        using var partition = EmbeddedStore.Command(connection, "INSERT INTO partitions(topic, number, start) VALUES($topic, $number, 0)", "$topic", "$number");
        partition.Parameters[0].Value = id;
        for (var number = 0; number < specification.Partitions; number++)
        {
            partition.Parameters[1].Value = number;
            partition.ExecuteNonQuery();
        }
    }

    private void LoadTopics(SqliteConnection connection)
    {
        using var command = EmbeddedStore.Command(connection, """
            SELECT t.name, t.compacted, p.id, p.number, p.start,
                (SELECT b.id + b.count FROM batches b WHERE b.id >= (p.id << 40) AND b.id < ((p.id + 1) << 40) ORDER BY b.id DESC LIMIT 1)
            FROM topics t JOIN partitions p ON p.topic = t.id ORDER BY t.id, p.number
            """);
        using var rows = command.ExecuteReader();
        var loaded = new Dictionary<string, (bool IsCompacted, List<EmbeddedPartition> Partitions)>(StringComparer.Ordinal);
        while (rows.Read())
        {
            var name = rows.GetString(0);
            if (_topics.ContainsKey(name))
            {
                continue;
            }

            var isCompacted = rows.GetInt64(1) != 0;
            if (!loaded.TryGetValue(name, out var topic))
            {
                loaded.Add(name, topic = (isCompacted, []));
            }

            var partition = new EmbeddedPartition(rows.GetInt32(2), name, rows.GetInt32(3), isCompacted, _options.RecentBytes);
            var start = rows.GetInt64(4);
            partition.Initialize(start, rows.IsDBNull(5) ? start : EmbeddedStore.OffsetOf(rows.GetInt64(5)));
            topic.Partitions.Add(partition);
        }

        foreach (var (name, topic) in loaded)
        {
            _topics[name] = new EmbeddedTopic(name, topic.IsCompacted, [.. topic.Partitions]);
        }
    }

    private void LoadOwners(SqliteConnection connection)
    {
        using var command = EmbeddedStore.Command(connection, "SELECT name, epoch FROM owners");
        using var rows = command.ExecuteReader();
        while (rows.Read())
        {
            Owners[rows.GetString(0)] = rows.GetInt64(1);
        }
    }
}
