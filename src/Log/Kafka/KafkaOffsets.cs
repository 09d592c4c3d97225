namespace OrleansMqtt.Log.Kafka;

/// <summary>
/// Asks Kafka for the offsets of partitions; who asks while a request is on its way shares the next one. What was acknowledged before lies below the end: a transaction is
/// acknowledged a moment before its markers are written, and an open one hides what follows it, so that the end is told when it has passed what the partition held at first.
/// </summary>
internal sealed class KafkaOffsets(IOffsetQuery query, CancellationToken stopping)
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan TransactionDelay = TimeSpan.FromMilliseconds(10);
    private readonly Lock _lock = new();
    private HashSet<TopicPartitionId> _wanted = [];
    private TaskCompletionSource<Dictionary<TopicPartitionId, PartitionOffsets>> _next = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _isAsking;

    public async Task<OffsetRange[]> GetAsync(IReadOnlyList<TopicPartitionId> partitions, CancellationToken cancellationToken)
    {
        var ranges = new OffsetRange[partitions.Count];
        var firstHigh = new long?[partitions.Count];
        var open = Enumerable.Range(0, ranges.Length).ToList();
        while (open.Count > 0)
        {
            var answers = await AskNextAsync(open.Select(i => partitions[i])).WaitAsync(cancellationToken);
            var isUnanswered = false;
            for (var n = open.Count - 1; n >= 0; n--)
            {
                var i = open[n];
                if (!answers.TryGetValue(partitions[i], out var offsets))
                {
                    isUnanswered = true;
                }
                else if (offsets.Stable >= (firstHigh[i] ??= offsets.High))
                {
                    ranges[i] = new(offsets.Start, offsets.Stable);
                    open.RemoveAt(n);
                }
            }

            if (open.Count > 0)
            {
                // Kafka is away, or a partition is without a leader or does not exist: that is waited for alone, whoever else asked has its answer.
                stopping.ThrowIfCancellationRequested();
                await Task.Delay(isUnanswered ? RetryDelay : TransactionDelay, cancellationToken);
            }
        }

        return ranges;
    }

    private Task<Dictionary<TopicPartitionId, PartitionOffsets>> AskNextAsync(IEnumerable<TopicPartitionId> partitions)
    {
        lock (_lock)
        {
            _wanted.UnionWith(partitions);
            if (!_isAsking)
            {
                _isAsking = true;
                _ = Task.Run(AskAsync, CancellationToken.None);
            }

            return _next.Task;
        }
    }

    private async Task AskAsync()
    {
        while (true)
        {
            HashSet<TopicPartitionId> wanted;
            TaskCompletionSource<Dictionary<TopicPartitionId, PartitionOffsets>> waiting;
            lock (_lock)
            {
                if (_wanted.Count == 0)
                {
                    _isAsking = false;
                    return;
                }

                (wanted, _wanted) = (_wanted, []);
                (waiting, _next) = (_next, new(TaskCreationOptions.RunContinuationsAsynchronously));
            }

            try
            {
                waiting.SetResult(await query.AskAsync(wanted));
            }
            catch (Exception exception)
            {
                waiting.TrySetException(exception);
            }
        }
    }
}
