using Microsoft.Extensions.Logging;

namespace OrleansMqtt.Log.Kafka.Wire;

/// <summary>Asks one broker about partitions, one question after the other.</summary>
internal sealed class BrokerQuery : BrokerWorker
{
    private readonly Queue<IRequest> _requests = [];

    public BrokerQuery(int broker, WireSettings settings, ClusterMetadata metadata, ILogger logger)
        : base(broker, settings, metadata, logger, $"Kafka query {broker}") => Start();

    private interface IRequest
    {
        /// <summary>Asks; without a connection there is no answer.</summary>
        void Answer(WireConnection? connection);
    }

    /// <summary>What the broker answers, of those partitions that it answers for.</summary>
    public Task<Dictionary<TopicPartitionId, TAnswer>> AskAsync<TAnswer>(TopicPartitionId[] partitions, WireQuestion<TAnswer> question)
    {
        Request<TAnswer> request = new(partitions, question);
        lock (Gate)
        {
            if (IsStopping)
            {
                return Task.FromResult(new Dictionary<TopicPartitionId, TAnswer>());
            }

            _requests.Enqueue(request);
            Monitor.PulseAll(Gate);
        }

        return request.Answered.Task;
    }

    protected override void Run()
    {
        while (WaitForNext() is { } request)
        {
            Answer(request);
        }
    }

    /// <returns>Null when it is stopped and nobody waits.</returns>
    private IRequest? WaitForNext()
    {
        lock (Gate)
        {
            while (!IsStopping && _requests.Count == 0)
            {
                Monitor.Wait(Gate);
            }

            return _requests.TryDequeue(out var request) ? request : null;
        }
    }

    private void Answer(IRequest request)
    {
        try
        {
            if (!IsStopping)
            {
                EnsureConnected();
                request.Answer(Connection);
                OnSuccess();
                return;
            }
        }
        catch (Exception exception)
        {
            TryFail(exception);
        }

        request.Answer(null);
    }

    private sealed class Request<TAnswer>(TopicPartitionId[] partitions, WireQuestion<TAnswer> question) : IRequest
    {
        public TaskCompletionSource<Dictionary<TopicPartitionId, TAnswer>> Answered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Answer(WireConnection? connection) => Answered.SetResult(connection is null ? [] : question(connection, partitions));
    }
}
