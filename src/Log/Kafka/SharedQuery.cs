namespace OrleansMqtt.Log.Kafka;

/// <summary>Asks Kafka about partitions; who asks while a request is on its way shares the next one.</summary>
/// <param name="ask">Asks once for partitions, and has answers for those that Kafka answers for. Called again only when it has answered.</param>
internal sealed class SharedQuery<TAnswer>(Func<IReadOnlySet<TopicPartitionId>, Task<Dictionary<TopicPartitionId, TAnswer>>> ask)
{
    private readonly Lock _lock = new();
    private HashSet<TopicPartitionId> _wanted = [];
    private TaskCompletionSource<Dictionary<TopicPartitionId, TAnswer>> _next = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _isAsking;

    /// <summary>The answers of a request that is sent after this call, which may hold those for others, too.</summary>
    public Task<Dictionary<TopicPartitionId, TAnswer>> AskAsync(IEnumerable<TopicPartitionId> partitions)
    {
        lock (_lock)
        {
            _wanted.UnionWith(partitions);
            if (_wanted.Count == 0)
            {
                return Task.FromResult(new Dictionary<TopicPartitionId, TAnswer>());
            }

            if (!_isAsking)
            {
                _isAsking = true;
                _ = Task.Run(AskAllAsync, CancellationToken.None);
            }

            return _next.Task;
        }
    }

    private async Task AskAllAsync()
    {
        while (true)
        {
            HashSet<TopicPartitionId> wanted;
            TaskCompletionSource<Dictionary<TopicPartitionId, TAnswer>> waiting;
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
                waiting.SetResult(await ask(wanted));
            }
            catch (Exception exception)
            {
                waiting.TrySetException(exception);
            }
        }
    }
}
