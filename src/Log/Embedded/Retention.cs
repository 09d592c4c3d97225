using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace OrleansMqtt.Log.Embedded;

/// <summary>
/// Removes what is too old or too much: whole batches from the start of partitions that are not compacted, and old tombstones of compacted ones. The newest row of a
/// partition always stays: it says which offset comes next.
/// </summary>
internal sealed partial class Retention : IAsyncDisposable
{
    private const int MaximumRowsAtOnce = 1000;

    private readonly EmbeddedLog _log;
    private readonly EmbeddedLogOptions _options;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _running;

    public Retention(EmbeddedLog log, EmbeddedLogOptions options, ILogger logger)
    {
        (_log, _options, _logger) = (log, options, logger);
        _running = RunAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _running;
        _stopping.Dispose();
    }

    /// <summary>Applies retention to all partitions.</summary>
    public async Task ApplyAsync()
    {
        foreach (var partition in _log.Partitions)
        {
            // In steps, so that appends between them are not held up.
            while (!_stopping.IsCancellationRequested && await _log.Writer.ExecuteAsync(writer => Apply(writer.Connection, partition)) is { } step && step.Rows > 0)
            {
                // Readers learn the new start only when it is on disk.
                partition.MoveStart(step.Start);
                if (step.Rows < MaximumRowsAtOnce)
                {
                    break;
                }
            }
        }
    }

    private async Task RunAsync()
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(_options.RetentionCheckSeconds));
        try
        {
            while (await timer.WaitForNextTickAsync(_stopping.Token))
            {
                try
                {
                    await ApplyAsync();
                }
                catch (Exception exception) when (exception is SqliteException or ObjectDisposedException)
                {
                    LogFailed(exception.Message);
                }
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    private Step Apply(SqliteConnection connection, EmbeddedPartition partition) =>
        partition.IsCompacted ? RemoveTombstones(connection, partition) : RemoveFromStart(connection, partition);

    private Step RemoveFromStart(SqliteConnection connection, EmbeddedPartition partition)
    {
        if (_options is { RetentionHours: <= 0, RetentionBytes: <= 0 })
        {
            return default;
        }

        var (low, high) = (EmbeddedStore.RowId(partition.Id, 0), EmbeddedStore.RowId(partition.Id + 1, 0));
        var size = partition.Size ?? CountBytes(connection, low, high);
        var oldest = _options.RetentionHours > 0 ? DateTimeOffset.UtcNow.AddHours(-_options.RetentionHours).ToUnixTimeMilliseconds() : long.MinValue;
        long last = -1;
        long start = 0;
        var removed = 0;
        using (var command = EmbeddedStore.Command(
            connection, "SELECT id, count, time, length(records) FROM batches WHERE id >= $low AND id < $high ORDER BY id LIMIT $limit", "$low", "$high", "$limit"))
        {
            command.Parameters[0].Value = low;
            command.Parameters[1].Value = high;
            command.Parameters[2].Value = MaximumRowsAtOnce + 1;
            using var rows = command.ExecuteReader();
            var isFirst = true;
            while (removed < MaximumRowsAtOnce && rows.Read())
            {
                // A row is removed when another one follows it.
                if (!isFirst)
                {
                    start = EmbeddedStore.OffsetOf(rows.GetInt64(0));
                    removed++;
                }

                isFirst = false;
                var isTooMuch = _options.RetentionBytes > 0 && size > _options.RetentionBytes;
                if (!isTooMuch && rows.GetInt64(2) >= oldest)
                {
                    break;
                }

                last = rows.GetInt64(0);
                size -= rows.GetInt64(3);
            }
        }

        if (removed == 0)
        {
            partition.Size = size + 0;
            return default;
        }

        using var delete = EmbeddedStore.Command(connection, "DELETE FROM batches WHERE id >= $low AND id < $start", "$low", "$start");
        delete.Parameters[0].Value = low;
        delete.Parameters[1].Value = EmbeddedStore.RowId(partition.Id, start);
        delete.ExecuteNonQuery();
        using var update = EmbeddedStore.Command(connection, "UPDATE partitions SET start = $start WHERE id = $id", "$start", "$id");
        update.Parameters[0].Value = start;
        update.Parameters[1].Value = partition.Id;
        update.ExecuteNonQuery();
        partition.Size = null;
        _ = last;
        return new Step(removed, start);
    }

    private Step RemoveTombstones(SqliteConnection connection, EmbeddedPartition partition)
    {
        var oldest = DateTimeOffset.UtcNow.AddHours(-_options.TombstoneHours).ToUnixTimeMilliseconds();
        using var select = EmbeddedStore.Command(
            connection,
            "SELECT id, (SELECT key FROM newest n WHERE n.partition = $partition AND n.id = b.id) FROM batches b " +
            "WHERE tombstone = 1 AND time < $oldest AND id >= $low AND id < $newest ORDER BY time LIMIT $limit",
            "$partition",
            "$oldest",
            "$low",
            "$newest",
            "$limit");
        select.Parameters[0].Value = partition.Id;
        select.Parameters[1].Value = oldest;
        select.Parameters[2].Value = EmbeddedStore.RowId(partition.Id, 0);
        select.Parameters[3].Value = EmbeddedStore.RowId(partition.Id, partition.Next - 1);
        select.Parameters[4].Value = MaximumRowsAtOnce;
        var ids = new List<long>();
        using (var rows = select.ExecuteReader())
        {
            while (rows.Read())
            {
                ids.Add(rows.GetInt64(0));
            }
        }

        using var delete = EmbeddedStore.Command(connection, "DELETE FROM batches WHERE id = $id", "$id");
        using var forget = EmbeddedStore.Command(connection, "DELETE FROM newest WHERE partition = $partition AND id = $id", "$partition", "$id");
        foreach (var id in ids)
        {
            delete.Parameters[0].Value = id;
            delete.ExecuteNonQuery();
            forget.Parameters[0].Value = partition.Id;
            forget.Parameters[1].Value = id;
            forget.ExecuteNonQuery();
        }

        return new Step(ids.Count, 0);
    }

    private static long CountBytes(SqliteConnection connection, long low, long high)
    {
        using var command = EmbeddedStore.Command(connection, "SELECT total(length(records)) FROM batches WHERE id >= $low AND id < $high", "$low", "$high");
        command.Parameters[0].Value = low;
        command.Parameters[1].Value = high;
        return Convert.ToInt64(command.ExecuteScalar(), System.Globalization.CultureInfo.InvariantCulture);
    }

    private readonly record struct Step(int Rows, long Start);

    [LoggerMessage(LogLevel.Warning, "Retention of the embedded log could not be applied ({Reason}); it is tried again.")]
    private partial void LogFailed(string reason);
}
