using System.Diagnostics;

namespace OrleansMqtt.Log.Embedded;

/// <summary>An owner is an epoch in the <c>owners</c> table: the writer compares it before it writes anything of a transaction.</summary>
internal sealed class EmbeddedOwner(EmbeddedLog log, string name, long epoch) : ILogOwner
{
    private volatile bool _isDisposed;

    public async Task<AppendResult[]> AppendTransactionAsync(IReadOnlyList<TopicRecord> records, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, typeof(ILogOwner));
        cancellationToken.ThrowIfCancellationRequested();

        // Whatever can be wrong with a record shows here: the writer has nothing to refuse once it began.
        var parts = new (EmbeddedPartition Partition, LogRecord Record, int Size)[records.Count];
        for (var i = 0; i < parts.Length; i++)
        {
            var (topic, record) = (records[i].Topic, records[i].Record);
            parts[i] = (log.PartitionOf(topic, record), record, EmbeddedLog.CheckedSizeOf(record));
        }

        var startedAt = Stopwatch.GetTimestamp();
        var results = await log.Writer.ExecuteAsync(writer =>
        {
            if (log.Owners.GetValueOrDefault(name) != epoch)
            {
                throw new OwnerFencedException(name);
            }

            var appended = new AppendResult[parts.Length];
            for (var i = 0; i < parts.Length; i++)
            {
                var (partition, record, size) = parts[i];
                appended[i] = AppendResult.Stored(partition.Name.Partition, writer.Batches.Add(partition, record, size));
            }

            return appended;
        });
        log.Metrics.RecordTransaction(startedAt);
        return results;
    }

    // A transaction is one write: it is there or not.
    public Task SettleAsync() => Task.CompletedTask;

    public ValueTask DisposeAsync()
    {
        _isDisposed = true;
        return ValueTask.CompletedTask;
    }
}
