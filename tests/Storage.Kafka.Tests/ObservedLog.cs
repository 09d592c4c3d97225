using System.Collections.Concurrent;
using System.Text;
using OrleansMqtt.Log;

namespace OrleansMqtt.Storage.Kafka.Tests;

/// <summary>Passes everything on; sees each transaction, and lets it wait at a gate.</summary>
internal sealed class ObservedLog(IMessageLog log) : IMessageLog
{
    public const string RefusedKey = "refused";

    private static readonly byte[] Refused = Encoding.UTF8.GetBytes(RefusedKey);
    private TaskCompletionSource? _gate;

    /// <summary>The next transaction finds that its owner ended without a later one.</summary>
    public bool FailsOwner { get; set; }

    /// <summary>The end of the next transaction is lost.</summary>
    public bool LosesEnd { get; set; }

    /// <summary>How often owners were opened.</summary>
    public SemaphoreSlim Opened { get; } = new(0);

    /// <summary>The number of records of each transaction.</summary>
    public ConcurrentQueue<int> Transactions { get; } = new();

    /// <summary>The transactions that arrived at the gate.</summary>
    public SemaphoreSlim Arrived { get; } = new(0);

    public string Description => log.Description;

    public LogHealth Health => log.Health;

    public void CloseGate() => _gate = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void OpenGate()
    {
        var gate = _gate;
        _gate = null;
        gate?.SetResult();
    }

    public Task EnsureTopicsAsync(IReadOnlyCollection<TopicSpecification> topics, CancellationToken cancellationToken) => log.EnsureTopicsAsync(topics, cancellationToken);

    public Task<Guid[]> GetTopicIdsAsync(IReadOnlyList<string> topics, CancellationToken cancellationToken) => log.GetTopicIdsAsync(topics, cancellationToken);

    public int GetPartitionCount(string topic) => log.GetPartitionCount(topic);

    public void Append(string topic, in LogRecord record, IAppendCompletion completion, long state) => log.Append(topic, record, completion, state);

    public async Task<ILogOwner> OpenOwnerAsync(string ownerName, CancellationToken cancellationToken)
    {
        Owner owner = new(this, await log.OpenOwnerAsync(ownerName, cancellationToken));
        Opened.Release();
        return owner;
    }

    public ILogReader OpenReader(string topic, int partition, long offset) => log.OpenReader(topic, partition, offset);

    public Task<LogBatch> ReadRangeAsync(string topic, int partition, long from, int maxRecords, CancellationToken cancellationToken) =>
        log.ReadRangeAsync(topic, partition, from, maxRecords, cancellationToken);

    public Task<OffsetRange[]> GetOffsetsAsync(IReadOnlyList<TopicPartitionId> partitions, CancellationToken cancellationToken) => log.GetOffsetsAsync(partitions, cancellationToken);

    public ValueTask DisposeAsync() => log.DisposeAsync();

    private sealed class Owner(ObservedLog observed, ILogOwner owner) : ILogOwner
    {
        public async Task<AppendResult[]> AppendTransactionAsync(IReadOnlyList<TopicRecord> records, CancellationToken cancellationToken)
        {
            observed.Arrived.Release();
            if (observed._gate is { } gate)
            {
                await gate.Task;
            }

            if (observed.FailsOwner)
            {
                observed.FailsOwner = false;
                await owner.DisposeAsync();
                throw new OwnerFailedException("owner", "for the test");
            }

            if (records.Any(record => record.Record.Key.Span.SequenceEqual(Refused)))
            {
                throw new ArgumentException("refused", nameof(records));
            }

            var results = await owner.AppendTransactionAsync(records, cancellationToken);
            observed.Transactions.Enqueue(records.Count);
            return results;
        }

        public async Task SettleAsync()
        {
            await owner.SettleAsync();
            if (observed is { LosesEnd: true, Transactions.IsEmpty: false })
            {
                observed.LosesEnd = false;
                throw new OwnerFailedException("owner", "for the test");
            }
        }

        public ValueTask DisposeAsync() => owner.DisposeAsync();
    }
}
