namespace OrleansMqtt.Log.Kafka;

/// <summary>
/// Asks Kafka for the offsets of partitions. What was acknowledged before lies below the end: a transaction is
/// acknowledged a moment before its markers are written, and an open one hides what follows it, so that the end is told when it has passed what the partition held at first.
/// </summary>
internal sealed class KafkaOffsets(IOffsetQuery query, CancellationToken stopping)
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan TransactionDelay = TimeSpan.FromMilliseconds(10);
    private readonly SharedQuery<PartitionOffsets> _query = new(query.AskAsync);

    public async Task<OffsetRange[]> GetAsync(IReadOnlyList<TopicPartitionId> partitions, CancellationToken cancellationToken)
    {
        var ranges = new OffsetRange[partitions.Count];
        var firstHigh = new long?[partitions.Count];
        var open = Enumerable.Range(0, ranges.Length).ToList();
        while (open.Count > 0)
        {
            var answers = await _query.AskAsync(open.Select(i => partitions[i])).WaitAsync(cancellationToken);
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
}
