using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace OrleansMqtt.Log.Embedded;

/// <summary>
/// The one thread that writes. It takes whatever is queued, writes it in one SQLite transaction and waits for the disk once (group commit); what arrives meanwhile
/// is the next group. When the disk refuses, it tries the same group again: nothing is acknowledged, nothing is lost, and nothing overtakes.
/// </summary>
internal sealed partial class EmbeddedWriter : IDisposable
{
    private const int MaximumGroupRecords = 32 * 1024;
    private const long MaximumGroupBytes = 8 * 1024 * 1024;
    private const int MaximumBatchBytes = 256 * 1024;
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _signal = new(0);
    private readonly ManualResetEventSlim _stopping = new();
    private readonly SqliteConnection _connection;
    private readonly LogMetrics _metrics;
    private readonly ILogger _logger;
    private readonly Thread _thread;
    private readonly BatchWriter _batches;
    private readonly SqliteCommand _begin;
    private readonly SqliteCommand _commit;
    private readonly SqliteCommand _rollback;
    private List<PendingAppend> _queue = [];
    private List<PendingAppend> _group = [];
    private int _groupStart;
    private bool _isClosed;
    private volatile string? _error;

    public EmbeddedWriter(SqliteConnection connection, LogMetrics metrics, ILogger logger)
    {
        (_connection, _metrics, _logger) = (connection, metrics, logger);
        _batches = new BatchWriter(connection, MaximumBatchBytes);
        _begin = EmbeddedStore.Command(connection, "BEGIN IMMEDIATE");
        _commit = EmbeddedStore.Command(connection, "COMMIT");
        _rollback = EmbeddedStore.Command(connection, "ROLLBACK");
        _thread = new Thread(Run) { IsBackground = true, Name = "Embedded log" };
        _thread.Start();
    }

    public SqliteConnection Connection => _connection;

    public BatchWriter Batches => _batches;

    /// <summary>Why the disk refuses at the moment, or null.</summary>
    public string? Error => _error;

    public void Enqueue(in PendingAppend append)
    {
        bool wake;
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isClosed, typeof(IMessageLog));
            wake = _queue.Count == 0;
            _queue.Add(append);
        }

        if (wake)
        {
            _signal.Release();
        }
    }

    public Task<T> ExecuteAsync<T>(Func<EmbeddedWriter, T> operation)
    {
        var request = new OperationRequest<T>(operation);
        Enqueue(new PendingAppend { Request = request });
        return request.Task;
    }

    /// <summary>Writes what is queued and ends.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_isClosed)
            {
                return;
            }

            _isClosed = true;
        }

        _stopping.Set();
        _signal.Release();
        _thread.Join();
        _batches.Dispose();
        _begin.Dispose();
        _commit.Dispose();
        _rollback.Dispose();
        _connection.Dispose();
        _stopping.Dispose();
        _signal.Dispose();
    }

    private void Run()
    {
        while (true)
        {
            _signal.Wait();
            while (TakeGroup())
            {
                WriteAll();
            }

            lock (_lock)
            {
                if (_isClosed && _queue.Count == 0)
                {
                    return;
                }
            }
        }
    }

    private bool TakeGroup()
    {
        _group.Clear();
        _groupStart = 0;
        lock (_lock)
        {
            (_queue, _group) = (_group, _queue);
        }

        return _group.Count > 0;
    }

    private void WriteAll()
    {
        while (_groupStart < _group.Count)
        {
            var entries = NextGroup(CollectionsMarshal.AsSpan(_group)[_groupStart..]);
            while (!TryWrite(entries, out var exception))
            {
                if (_error is null)
                {
                    LogRefused(exception.Message);
                }

                _error = exception.Message;
                _metrics.CountError("sqlite_" + exception.SqliteErrorCode);
                if (_stopping.Wait(RetryDelay))
                {
                    FailAll(exception);
                    return;
                }
            }

            if (_error is not null)
            {
                _error = null;
                LogRecovered();
            }

            Complete(entries);
            _groupStart += entries.Length;
        }
    }

    private static Span<PendingAppend> NextGroup(Span<PendingAppend> entries)
    {
        long bytes = 0;
        var count = 0;
        while (count < entries.Length && count < MaximumGroupRecords && bytes < MaximumGroupBytes)
        {
            bytes += entries[count++].Size;
        }

        return entries[..count];
    }

    private bool TryWrite(Span<PendingAppend> entries, out SqliteException exception)
    {
        try
        {
            _batches.Start();
            _begin.ExecuteNonQuery();
            foreach (ref var entry in entries)
            {
                if (entry.Request is { } request)
                {
                    request.Apply(this);
                }
                else
                {
                    entry.Offset = _batches.Add(entry.Partition!, entry.Record, entry.Size);
                }
            }

            _batches.Flush();
            _commit.ExecuteNonQuery();
            exception = null!;
            return true;
        }
        catch (SqliteException failure)
        {
            _batches.Undo();
            Rollback();
            exception = failure;
            return false;
        }
    }

    private void Rollback()
    {
        try
        {
            // SQLite ends the transaction by itself on some errors.
            _rollback.ExecuteNonQuery();
        }
        catch (SqliteException)
        {
        }
    }

    private void Complete(Span<PendingAppend> entries)
    {
        _batches.Publish(_metrics);
        if (entries[0].StartedAt != 0)
        {
            _metrics.RecordAppend(entries[0].StartedAt);
        }

        foreach (ref var entry in entries)
        {
            if (entry.Request is { } request)
            {
                request.Complete();
            }
            else
            {
                entry.Completion!.OnAppended(entry.State, AppendResult.Stored(entry.Partition!.Name.Partition, entry.Offset));
            }

            entry = default;
        }
    }

    private void FailAll(Exception exception)
    {
        foreach (ref var entry in CollectionsMarshal.AsSpan(_group)[_groupStart..])
        {
            if (entry.Request is { } request)
            {
                request.Fail(exception);
            }
            else
            {
                _metrics.CountFailed(entry.Partition.Name.Topic);
                entry.Completion!.OnAppended(entry.State, AppendResult.Failed(exception.Message));
            }
        }
    }

    [LoggerMessage(LogLevel.Error, "The embedded log cannot write ({Reason}); it keeps trying and acknowledges nothing until it can.")]
    private partial void LogRefused(string reason);

    [LoggerMessage(LogLevel.Information, "The embedded log writes again.")]
    private partial void LogRecovered();
}
