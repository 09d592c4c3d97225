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
            if (_options.RetentionBytes > 0 && !partition.IsCompacted)
            {
                await CountAsync(partition);
            }

            // In steps, so that appends between them are not held up.
            Step step;
            do
            {
                step = await _log.Writer.ExecuteAsync(writer => Apply(writer.Connection, partition));

                // Only when it is on disk.
                partition.MoveStart(step.Start);
                await _log.Writer.ExecuteAsync(_ => partition.Size -= step.Bytes);
            }
            while (step.Rows == MaximumRowsAtOnce && !_stopping.IsCancellationRequested);
        }
    }

    /// <summary>Counts the stored bytes of a partition once; appends and removals keep the sum from then on.</summary>
    private async Task CountAsync(EmbeddedPartition partition)
    {
        if (await _log.Writer.ExecuteAsync(_ => partition.Size) is not null)
        {
            return;
        }

        // The bulk without the writer, and what came meanwhile with it.
        var end = partition.Range.End;
        var bytes = await _log.CountBytesAsync(partition, end);
        await _log.Writer.ExecuteAsync(writer =>
        {
            using var command = EmbeddedStore.Command(
                writer.Connection, "SELECT total(length(records)) FROM batches WHERE id >= $low AND id < $high", "$low", "$high");
            command.Parameters[0].Value = EmbeddedStore.RowId(partition.Id, end);
            command.Parameters[1].Value = EmbeddedStore.RowId(partition.Id + 1, 0);
            return partition.Size = bytes + (long)(double)command.ExecuteScalar()!;
        });
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
        var oldest = _options.RetentionHours > 0 ? DateTimeOffset.UtcNow.AddHours(-_options.RetentionHours).ToUnixTimeMilliseconds() : long.MinValue;
        var tooMuch = _options.RetentionBytes > 0 && partition.Size is { } size ? size - _options.RetentionBytes : 0;
        var step = FindStart(connection, low, high, oldest, tooMuch);
        if (step.Rows == 0)
        {
            return step;
        }

        using var delete = EmbeddedStore.Command(connection, "DELETE FROM batches WHERE id >= $low AND id < $start", "$low", "$start");
        delete.Parameters[0].Value = low;
        delete.Parameters[1].Value = EmbeddedStore.RowId(partition.Id, step.Start);
        delete.ExecuteNonQuery();
        using var update = EmbeddedStore.Command(connection, "UPDATE partitions SET start = $start WHERE id = $id", "$start", "$id");
        update.Parameters[0].Value = step.Start;
        update.Parameters[1].Value = partition.Id;
        update.ExecuteNonQuery();
        return step;
    }

    /// <summary>Which rows may go: from the oldest on, each that is too old or too much, and is followed by another.</summary>
    private static Step FindStart(SqliteConnection connection, long low, long high, long oldest, long tooMuch)
    {
        using var command = EmbeddedStore.Command(
            connection, "SELECT id, time, length(records) FROM batches WHERE id >= $low AND id < $high ORDER BY id LIMIT $limit", "$low", "$high", "$limit");
        command.Parameters[0].Value = low;
        command.Parameters[1].Value = high;
        command.Parameters[2].Value = MaximumRowsAtOnce + 1;
        using var rows = command.ExecuteReader();
        Step step = default;
        (bool MayGo, long Bytes) previous = default;
        while (rows.Read())
        {
            if (previous.MayGo)
            {
                step = new Step(step.Rows + 1, EmbeddedStore.OffsetOf(rows.GetInt64(0)), step.Bytes + previous.Bytes);
            }

            previous = (rows.GetInt64(1) < oldest || step.Bytes < tooMuch, rows.GetInt64(2));
            if (!previous.MayGo)
            {
                break;
            }
        }

        return step;
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

        return new Step(ids.Count, 0, 0);
    }

    private readonly record struct Step(int Rows, long Start, long Bytes);

    [LoggerMessage(LogLevel.Warning, "Retention of the embedded log could not be applied ({Reason}); it is tried again.")]
    private partial void LogFailed(string reason);
}
