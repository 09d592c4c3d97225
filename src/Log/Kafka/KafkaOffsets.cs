using Confluent.Kafka;
using Confluent.Kafka.Admin;
using ErrorCode = Confluent.Kafka.ErrorCode;

namespace OrleansMqtt.Log.Kafka;

/// <summary>
/// Asks Kafka for the offsets of partitions; who asks while a request is on its way shares the next one. What was acknowledged before lies below the end: a transaction is
/// acknowledged a moment before its markers are written, and an open one hides what follows it, so that the end is told when it has passed what the partition held at first.
/// </summary>
internal sealed class KafkaOffsets(IAdminClient admin, CancellationToken stopping)
{
    private static readonly TimeSpan RequestLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan MetadataLimit = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan TransactionDelay = TimeSpan.FromMilliseconds(10);
    private readonly Lock _lock = new();
    private HashSet<TopicPartitionId> _wanted = [];
    private TaskCompletionSource<Dictionary<TopicPartitionId, Offsets>> _next = new(TaskCreationOptions.RunContinuationsAsynchronously);
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

    private Task<Dictionary<TopicPartitionId, Offsets>> AskNextAsync(IEnumerable<TopicPartitionId> partitions)
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
            TaskCompletionSource<Dictionary<TopicPartitionId, Offsets>> waiting;
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
                var requests = await Task.WhenAll(
                    ListAsync(wanted, OffsetSpec.Earliest(), IsolationLevel.ReadCommitted),
                    ListAsync(wanted, OffsetSpec.Latest(), IsolationLevel.ReadCommitted),
                    ListAsync(wanted, OffsetSpec.Latest(), IsolationLevel.ReadUncommitted));
                var answered = wanted.Where(partition => requests.All(answers => answers.ContainsKey(partition))).ToDictionary(
                    partition => partition, partition => new Offsets(requests[0][partition], requests[1][partition], requests[2][partition]));
                waiting.SetResult(answered);
                RefreshLeaders(wanted.Except(answered.Keys));
            }
            catch (Exception exception)
            {
                waiting.TrySetException(exception);
            }
        }
    }

    /// <summary>
    /// The client remembers for minutes that a partition had no leader, as all of a broker that just started, and asks no broker meanwhile: it is made to look again.
    /// </summary>
    private void RefreshLeaders(IEnumerable<TopicPartitionId> unanswered)
    {
        foreach (var topic in unanswered.Select(partition => partition.Topic).Distinct())
        {
            try
            {
                admin.GetMetadata(topic, MetadataLimit);
            }
            catch (KafkaException)
            {
                // Away: the next request finds out too.
                return;
            }
        }
    }

    /// <summary>The offsets of the partitions that Kafka answers for.</summary>
    private async Task<Dictionary<TopicPartitionId, long>> ListAsync(IEnumerable<TopicPartitionId> partitions, OffsetSpec spec, IsolationLevel isolation)
    {
        List<ListOffsetsResultInfo> answers;
        try
        {
            var request = partitions.Select(partition => new TopicPartitionOffsetSpec { TopicPartition = new(partition.Topic, partition.Partition), OffsetSpec = spec });
            answers = (await admin.ListOffsetsAsync(request, new() { IsolationLevel = isolation, RequestTimeout = RequestLimit })).ResultInfos;
        }
        catch (ListOffsetsException exception)
        {
            answers = exception.Result.ResultInfos;
        }
        catch (KafkaException exception) when (!exception.Error.IsFatal)
        {
            answers = [];
        }

        return answers
            .Select(answer => answer.TopicPartitionOffsetError)
            .Where(answer => answer.Error.Code == ErrorCode.NoError)
            .ToDictionary(answer => new TopicPartitionId(answer.Topic, answer.Partition.Value), answer => answer.Offset.Value);
    }

    private readonly record struct Offsets(long Start, long Stable, long High);
}
