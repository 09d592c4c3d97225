namespace OrleansMqtt.Log.Kafka;

/// <summary>A reader over its feed.</summary>
internal sealed class KafkaReader(KafkaLog log, IKafkaFollower follower, PartitionFeed feed) : ILogReader
{
    private readonly CancellationTokenSource _disposing = new();
    private PartitionFeed _feed = feed;

    public long Position => _feed.Position;

    public async ValueTask<LogBatch> ReadAsync(int maxRecords, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposing.IsCancellationRequested, this);
        while (true)
        {
            if (_feed.TryTake(maxRecords, out var available, out var isOutOfRange) is { } batch)
            {
                return batch;
            }

            if (isOutOfRange)
            {
                var range = (await log.GetOffsetsAsync([_feed.Partition], cancellationToken))[0];
                throw new OffsetOutOfRangeException(_feed.Partition, _feed.Position, range);
            }

            using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _disposing.Token);
            try
            {
                await available!.WaitAsync(linked.Token);
            }
            catch (OperationCanceledException) when (_disposing.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                throw new ObjectDisposedException(nameof(ILogReader));
            }
        }
    }

    public void Seek(long offset)
    {
        _feed = new(_feed.Partition, offset);
        follower.Replace(_feed, offset);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_disposing.IsCancellationRequested)
        {
            await _disposing.CancelAsync();
            follower.Unfollow(_feed);
        }
    }
}
