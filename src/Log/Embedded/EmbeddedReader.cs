namespace OrleansMqtt.Log.Embedded;

internal sealed class EmbeddedReader(EmbeddedLog log, EmbeddedPartition partition, long offset) : ILogReader
{
    private readonly CancellationTokenSource _disposing = new();
    private long _position = offset;

    public long Position => Volatile.Read(ref _position);

    public ValueTask<LogBatch> ReadAsync(int maxRecords, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxRecords);
        cancellationToken.ThrowIfCancellationRequested();
        ObjectDisposedException.ThrowIf(_disposing.IsCancellationRequested, this);
        var from = Position;
        return partition.TryReadRecent(from, maxRecords, out var batch)
            ? ValueTask.FromResult(Advance(batch!))
            : new ValueTask<LogBatch>(ReadSlowAsync(from, maxRecords, cancellationToken));
    }

    public void Seek(long offset) => Volatile.Write(ref _position, offset);

    public async ValueTask DisposeAsync() => await _disposing.CancelAsync();

    private async Task<LogBatch> ReadSlowAsync(long from, int maxRecords, CancellationToken cancellationToken)
    {
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _disposing.Token);
        try
        {
            while (true)
            {
                log.ThrowIfOutOfRange(partition, from);
                await partition.WaitBeyondAsync(from, linked.Token);
                if (!partition.TryReadRecent(from, maxRecords, out var batch))
                {
                    batch = await log.ReadStoredAsync(partition, from, maxRecords, linked.Token);
                }

                if (batch!.To > from)
                {
                    return Advance(batch);
                }
            }
        }
        catch (OperationCanceledException) when (_disposing.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new ObjectDisposedException(nameof(ILogReader));
        }
    }

    private LogBatch Advance(LogBatch batch)
    {
        Volatile.Write(ref _position, batch.To);
        log.Metrics.CountRead(batch.Topic, batch.Records.Length);
        return batch;
    }
}
