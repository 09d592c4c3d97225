using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace OrleansMqtt.Log.Kafka;

/// <summary>Asks Kafka for the offsets of partitions; who asks while a request is on its way shares the next one.</summary>
internal sealed class KafkaOffsets(IAdminClient admin, CancellationToken stopping)
{
    private static readonly ListOffsetsOptions Options = new() { IsolationLevel = IsolationLevel.ReadCommitted, RequestTimeout = TimeSpan.FromSeconds(5) };
    private readonly Lock _lock = new();
    private HashSet<TopicPartitionId> _wanted = [];
    private TaskCompletionSource<Dictionary<TopicPartitionId, OffsetRange>> _next = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _isAsking;

    public async Task<OffsetRange[]> GetAsync(IReadOnlyList<TopicPartitionId> partitions, CancellationToken cancellationToken)
    {
        Task<Dictionary<TopicPartitionId, OffsetRange>> next;
        lock (_lock)
        {
            _wanted.UnionWith(partitions);
            next = _next.Task;
            if (!_isAsking)
            {
                _isAsking = true;
                _ = Task.Run(AskAsync, CancellationToken.None);
            }
        }

        var offsets = await next.WaitAsync(cancellationToken);
        return [.. partitions.Select(partition => offsets[partition])];
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
                waiting.SetResult(await AskAsync(wanted));
            }
            catch (Exception exception)
            {
                waiting.SetException(exception);
            }
        }
    }

    private async Task<Dictionary<TopicPartitionId, OffsetRange>> AskAsync(HashSet<TopicPartitionId> partitions)
    {
        while (true)
        {
            stopping.ThrowIfCancellationRequested();
            try
            {
                var starts = ListAsync(partitions, OffsetSpec.Earliest());
                var ends = ListAsync(partitions, OffsetSpec.Latest());
                var (first, end) = (await starts, await ends);
                return partitions.ToDictionary(partition => partition, partition => new OffsetRange(first[partition], end[partition]));
            }
            catch (KafkaException)
            {
                await Task.Delay(200, stopping);
            }
        }
    }

    private async Task<Dictionary<TopicPartitionId, long>> ListAsync(IEnumerable<TopicPartitionId> partitions, OffsetSpec spec)
    {
        var result = await admin.ListOffsetsAsync(
            partitions.Select(partition => new TopicPartitionOffsetSpec { TopicPartition = new(partition.Topic, partition.Partition), OffsetSpec = spec }), Options);
        return result.ResultInfos.ToDictionary(
            info => new TopicPartitionId(info.TopicPartitionOffsetError.Topic, info.TopicPartitionOffsetError.Partition.Value),
            info => info.TopicPartitionOffsetError.Offset.Value);
    }
}
