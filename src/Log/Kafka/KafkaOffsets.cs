using Confluent.Kafka;
using Confluent.Kafka.Admin;
using ErrorCode = Confluent.Kafka.ErrorCode;

namespace OrleansMqtt.Log.Kafka;

/// <summary>Asks Kafka for the offsets of partitions; who asks while a request is on its way shares the next one.</summary>
internal sealed class KafkaOffsets(IAdminClient admin, CancellationToken stopping)
{
    private static readonly ListOffsetsOptions Options = new() { IsolationLevel = IsolationLevel.ReadCommitted, RequestTimeout = TimeSpan.FromSeconds(5) };
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan MetadataLimit = TimeSpan.FromSeconds(2);
    private readonly Lock _lock = new();
    private HashSet<TopicPartitionId> _wanted = [];
    private TaskCompletionSource<Dictionary<TopicPartitionId, OffsetRange>> _next = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _isAsking;

    public async Task<OffsetRange[]> GetAsync(IReadOnlyList<TopicPartitionId> partitions, CancellationToken cancellationToken)
    {
        while (true)
        {
            var offsets = await AskNextAsync(partitions).WaitAsync(cancellationToken);
            if (partitions.All(offsets.ContainsKey))
            {
                return [.. partitions.Select(partition => offsets[partition])];
            }

            // Kafka is away, or one of them is without a leader or does not exist: that is waited for alone, whoever else asked has its answer.
            stopping.ThrowIfCancellationRequested();
            await Task.Delay(RetryDelay, cancellationToken);
        }
    }

    private Task<Dictionary<TopicPartitionId, OffsetRange>> AskNextAsync(IReadOnlyList<TopicPartitionId> partitions)
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
            TaskCompletionSource<Dictionary<TopicPartitionId, OffsetRange>> waiting;
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
                var (starts, ends) = (ListAsync(wanted, OffsetSpec.Earliest()), ListAsync(wanted, OffsetSpec.Latest()));
                var (first, end) = (await starts, await ends);
                var answered = wanted.Where(partition => first.ContainsKey(partition) && end.ContainsKey(partition)).ToDictionary(
                    partition => partition, partition => new OffsetRange(first[partition], end[partition]));
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
    private async Task<Dictionary<TopicPartitionId, long>> ListAsync(IEnumerable<TopicPartitionId> partitions, OffsetSpec spec)
    {
        List<ListOffsetsResultInfo> answers;
        try
        {
            var request = partitions.Select(partition => new TopicPartitionOffsetSpec { TopicPartition = new(partition.Topic, partition.Partition), OffsetSpec = spec });
            answers = (await admin.ListOffsetsAsync(request, Options)).ResultInfos;
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
}
