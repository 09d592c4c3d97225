using System.Collections.Concurrent;
using System.Diagnostics;
using Confluent.Kafka;
using Microsoft.Extensions.Logging;
using ErrorCode = Confluent.Kafka.ErrorCode;

namespace OrleansMqtt.Log.Kafka;

/// <summary>An owner by its transactional producer (KIP-98), whose calls block: they have a thread of their own.</summary>
internal sealed class KafkaOwner : ILogOwner
{
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(5);

    // Kafka writes a transaction's markers after it has acknowledged it. When the next transaction arrives before that, the client tries again only 20 ms later.
    private static readonly TimeSpan MarkersDelay = TimeSpan.FromMilliseconds(3);
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(200);
    private readonly string _name;
    private readonly IProducer<byte[]?, byte[]?> _producer;
    private readonly KafkaLog _log;
    private readonly KafkaTransactions? _transactions;
    private readonly LogMetrics _metrics;
    private readonly ILogger _logger;
    private readonly BlockingCollection<Action> _work = [];
    private readonly CancellationTokenSource _stopping = new();
    private readonly Thread _thread;

    // The partitions of the records of a transaction that was begun and neither committed nor aborted: the next one begins with that.
    private TopicPartitionId[]? _open;

    // The last transaction, until it is known to have ended on its partitions.
    private WrittenTransaction? _written;

    public KafkaOwner(string name, IProducer<byte[]?, byte[]?> producer, KafkaLog log, KafkaTransactions? transactions, LogMetrics metrics, ILogger logger)
    {
        (_name, _producer, _log, _transactions, _metrics, _logger) = (name, producer, log, transactions, metrics, logger);
        _thread = new(Run) { IsBackground = true, Name = "Kafka owner" };
        _thread.Start();
    }

    /// <summary>Fences earlier owners. Waits for Kafka.</summary>
    public Task InitializeAsync(CancellationToken cancellationToken) => OnThread(() =>
    {
        Connect();
        Retry(() => _producer.InitTransactions(Step), cancellationToken);
        return true;
    });

    public Task<AppendResult[]> AppendTransactionAsync(IReadOnlyList<TopicRecord> records, CancellationToken cancellationToken) =>
        OnThread(() => AppendTransaction(records, cancellationToken));

    public async Task SettleAsync()
    {
        if (_transactions?.HasToLookAgain == true)
        {
            throw new OwnerFailedException(_name, "partitions had no leader when it was opened");
        }

        if (_written is not { } written)
        {
            return;
        }

        if (MarkersDelay - Stopwatch.GetElapsedTime(written.At) is var rest && rest > TimeSpan.Zero)
        {
            await Task.Delay(rest);
        }

        switch (_transactions is null ? TransactionEnd.Complete : await _transactions.WaitForEndAsync(written, _stopping.Token))
        {
            case TransactionEnd.Lost:
                _log.OnLostEnd(_name, written.IsCommitted);
                throw new OwnerFailedException(_name, "Kafka has lost the end of its last transaction");
            case TransactionEnd.Fenced:
                throw new OwnerFencedException(_name);
        }

        _written = null;
    }

    /// <summary>Ends what waits for Kafka, too: what becomes of a transaction that runs is then for Kafka and the next owner to decide.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_stopping.IsCancellationRequested)
        {
            return;
        }

        await _stopping.CancelAsync();
        _work.CompleteAdding();
        await Task.Run(_thread.Join);
        _work.Dispose();
        _log.Close(_producer);
    }

    /// <summary>The client looks for its coordinator at once, without a connection in vain, and again half a second later: a question before that makes the connection.</summary>
    private void Connect()
    {
        if (_log.AnyTopic is not { } topic)
        {
            return;
        }

        using var client = new DependentAdminClientBuilder(_producer.Handle).Build();
        try
        {
            // No request of the administration: the client ends the process when one of those fails in certain ways.
            client.GetMetadata(topic, Step);
        }
        catch (KafkaException)
        {
            // Away: that is waited for where the answer matters.
        }
    }

    private AppendResult[] AppendTransaction(IReadOnlyList<TopicRecord> records, CancellationToken cancellationToken)
    {
        var startedAt = Stopwatch.GetTimestamp();
        foreach (var record in records)
        {
            if (_log.WhyRefused(record) is { } reason)
            {
                // Refused by Kafka it would cost the client the sequence of its records, and the next transaction seconds.
                throw new ArgumentException($"Kafka would refuse a record: {reason}", nameof(records));
            }
        }

        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Deliveries deliveries = new(records.Count);
            try
            {
                Begin(records, deliveries, cancellationToken);

                // The outcome of a commit must be known before anything else is tried: it is asked for until it is, whatever the caller wants.
                Retry(() => _producer.CommitTransaction(Step), CancellationToken.None);
                Closed(deliveries.Results);
                Count(records, startedAt);
                return deliveries.Results;
            }
            catch (KafkaException exception) when (exception.Error.IsFatal || IsFenced(exception.Error))
            {
                _logger.LogTransactionRefused(_name, exception.Error.Reason);
                throw new OwnerFencedException(_name);
            }
            catch (KafkaException exception) when (exception is KafkaTxnRequiresAbortException || exception.Error.Code == ErrorCode.Local_State)
            {
                // Some record timed out or was refused, perhaps while others were still handed over: the transaction can only be aborted, and tried again as a whole.
                _logger.LogTransactionRetried(_name, exception.Error.Reason);
                Abort(CancellationToken.None);
                if (deliveries.Refusal is { } refusal)
                {
                    throw new ArgumentException($"Kafka refuses a record: {refusal.Reason}", nameof(records));
                }

                _stopping.Token.WaitHandle.WaitOne(RetryDelay);
            }
            catch (KafkaException exception)
            {
                // This client cannot tell what becomes of the transaction. A new one of the same name finds out.
                _logger.LogTransactionRefused(_name, exception.Error.Reason);
                throw new OwnerFailedException(_name, exception.Error.Reason);
            }
            catch (Exception exception) when (_open is not null && exception is not (OwnerFencedException or OwnerFailedException or ObjectDisposedException))
            {
                TryAbort();
                throw;
            }
        }
    }

    /// <summary>Hands the records of a new transaction over to the client, after the end of the last one.</summary>
    private void Begin(IReadOnlyList<TopicRecord> records, Deliveries deliveries, CancellationToken cancellationToken)
    {
        Abort(cancellationToken);
        SettleAsync().GetAwaiter().GetResult();
        var targets = records.Select(record => _log.PartitionOf(record.Topic, record.Record)).ToArray();
        var partitions = Array.ConvertAll(targets, target => new TopicPartitionId(target.Topic, target.Partition.Value));
        if (_transactions is not null && Array.Exists(partitions, _transactions.IsUnseen))
        {
            throw new OwnerFailedException(_name, "a partition had no leader when it was opened");
        }

        _producer.BeginTransaction();
        _open = partitions;
        for (var i = 0; i < records.Count; i++)
        {
            var index = i;
            _producer.Produce(targets[i], KafkaRecords.ToMessage(records[i].Record), report => deliveries.Set(index, report));
        }
    }

    /// <summary>The transaction that was open is committed, or (without results) aborted.</summary>
    private void Closed(AppendResult[]? results) => (_written, _open) = (new(_open!, results), null);

    private void Abort(CancellationToken cancellationToken)
    {
        while (_open is not null)
        {
            try
            {
                Retry(() => _producer.AbortTransaction(Step), cancellationToken);
                Closed(results: null);
            }
            catch (KafkaException exception) when (exception.Error.IsFatal)
            {
                // Kafka may never have heard of the transaction, when it went away just then. It refuses to abort it, with which the client can do nothing more.
                _logger.LogTransactionRefused(_name, exception.Error.Reason);
                throw new OwnerFailedException(_name, exception.Error.Reason);
            }
            catch (KafkaException exception) when (exception.Error.Code != ErrorCode.Local_State)
            {
                // It may tell once more of the messages that failed, and has not aborted yet then.
                _logger.LogTransactionRetried(_name, exception.Error.Reason);
                _stopping.Token.WaitHandle.WaitOne(RetryDelay);
            }
        }
    }

    /// <summary>Ends the transaction at once, because readers wait behind it; what fails here is done by the next transaction.</summary>
    private void TryAbort()
    {
        try
        {
            _producer.AbortTransaction(Step);
            Closed(results: null);
        }
        catch (KafkaException exception)
        {
            _logger.LogTransactionRetried(_name, exception.Error.Reason);
        }
    }

    private void Retry(Action action, CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ObjectDisposedException.ThrowIf(_stopping.IsCancellationRequested, typeof(ILogOwner));
            try
            {
                action();
                return;
            }
            catch (KafkaRetriableException exception)
            {
                _logger.LogTransactionRetried(_name, exception.Error.Reason);
            }
            catch (KafkaException exception) when (IsFenced(exception.Error))
            {
                _logger.LogTransactionRefused(_name, exception.Error.Reason);
                throw new OwnerFencedException(_name);
            }
        }
    }

    private void Count(IReadOnlyList<TopicRecord> records, long startedAt)
    {
        _metrics.RecordTransaction(startedAt);
        foreach (var topic in records.GroupBy(record => record.Topic))
        {
            _metrics.CountAppended(topic.Key, topic.Count(), topic.Sum(record => record.Record.Key.Length + (record.Record.Value?.Length ?? 0)));
        }
    }

    // 90 is PRODUCER_FENCED, which the client has no name for.
    private static bool IsFenced(Error error) => error.Code is ErrorCode.Local_Fenced or ErrorCode.InvalidProducerEpoch || (int)error.Code == 90;

    private Task<TResult> OnThread<TResult>(Func<TResult> action)
    {
        TaskCompletionSource<TResult> completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            _work.Add(() =>
            {
                try
                {
                    completion.SetResult(action());
                }
                catch (OperationCanceledException exception)
                {
                    completion.SetCanceled(exception.CancellationToken);
                }
                catch (Exception exception)
                {
                    completion.SetException(exception);
                }
            });
        }
        catch (InvalidOperationException)
        {
            throw new ObjectDisposedException(nameof(ILogOwner));
        }

        return completion.Task;
    }

    private void Run()
    {
        foreach (var action in _work.GetConsumingEnumerable())
        {
            action();
        }
    }

    /// <summary>What the client reports, on its own thread, before it says that the transaction is committed or aborted.</summary>
    private sealed class Deliveries(int count)
    {
        public AppendResult[] Results { get; } = new AppendResult[count];

        /// <summary>A record that will never be taken.</summary>
        public Error? Refusal { get; private set; }

        public void Set(int index, DeliveryReport<byte[]?, byte[]?> report)
        {
            if (!report.Error.IsError)
            {
                Results[index] = AppendResult.Stored(report.Partition.Value, report.Offset.Value);
                return;
            }

            Results[index] = KafkaRecords.ToFailure(report.Error);
            if (Results[index].IsRefused || report.Error.Code == ErrorCode.TopicAuthorizationFailed)
            {
                Refusal ??= report.Error;
            }
        }
    }
}
