using System.Diagnostics;
using Confluent.Kafka;
using Microsoft.Extensions.Logging;
using ErrorCode = Confluent.Kafka.ErrorCode;

namespace OrleansMqtt.Log.Kafka;

/// <summary>An owner by its transactional producer (KIP-98).</summary>
internal sealed class KafkaOwner(string name, IProducer<byte[]?, byte[]?> producer, KafkaLog log, LogMetrics metrics, ILogger logger) : ILogOwner
{
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(5);

    // A transaction was begun and neither committed nor aborted: the next one begins with that.
    private bool _isOpen;

    /// <summary>Fences earlier owners. Waits for Kafka.</summary>
    public Task InitializeAsync(CancellationToken cancellationToken) => OnOwnThread(
        () =>
        {
            Retry(() => producer.InitTransactions(Step), cancellationToken);
            return true;
        },
        cancellationToken);

    public Task<AppendResult[]> AppendTransactionAsync(IReadOnlyList<TopicRecord> records, CancellationToken cancellationToken) =>
        OnOwnThread(() => AppendTransaction(records, cancellationToken), cancellationToken);

    public ValueTask DisposeAsync()
    {
        producer.Dispose();
        return ValueTask.CompletedTask;
    }

    private AppendResult[] AppendTransaction(IReadOnlyList<TopicRecord> records, CancellationToken cancellationToken)
    {
        var startedAt = Stopwatch.GetTimestamp();
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                if (_isOpen)
                {
                    Retry(() => producer.AbortTransaction(Step), cancellationToken);
                    _isOpen = false;
                }

                var results = new AppendResult[records.Count];
                producer.BeginTransaction();
                _isOpen = true;
                for (var i = 0; i < records.Count; i++)
                {
                    var index = i;
                    var (topic, record) = (records[i].Topic, records[i].Record);
                    producer.Produce(log.PartitionOf(topic, record), KafkaRecords.ToMessage(record), report => results[index] = report.Error.IsError
                        ? AppendResult.Failed(report.Error.Reason)
                        : AppendResult.Stored(report.Partition.Value, report.Offset.Value));
                }

                // The outcome of a commit must be known before anything else is tried: it is asked for until it is, whatever the caller wants.
                Retry(() => producer.CommitTransaction(Step), CancellationToken.None);
                _isOpen = false;
                metrics.RecordTransaction(startedAt);
                foreach (var topic in records.GroupBy(record => record.Topic))
                {
                    metrics.CountAppended(topic.Key, topic.Count(), topic.Sum(record => record.Record.Key.Length + (record.Record.Value?.Length ?? 0)));
                }

                return results;
            }
            catch (KafkaTxnRequiresAbortException exception)
            {
                logger.LogTransactionRetried(name, exception.Error.Reason);
            }
            catch (KafkaException exception) when (IsFenced(exception.Error))
            {
                throw new OwnerFencedException(name);
            }
            catch when (_isOpen)
            {
                TryAbort();
                throw;
            }
        }
    }

    /// <summary>Ends the transaction at once, because readers wait behind it; what fails here is done by the next transaction.</summary>
    private void TryAbort()
    {
        try
        {
            producer.AbortTransaction(Step);
            _isOpen = false;
        }
        catch (KafkaException exception)
        {
            logger.LogTransactionRetried(name, exception.Error.Reason);
        }
    }

    private void Retry(Action action, CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                action();
                return;
            }
            catch (KafkaRetriableException exception)
            {
                logger.LogTransactionRetried(name, exception.Error.Reason);
            }
            catch (KafkaException exception) when (exception is not KafkaTxnRequiresAbortException && IsFenced(exception.Error))
            {
                throw new OwnerFencedException(name);
            }
        }
    }

    private static bool IsFenced(Error error) =>
        error.Code is ErrorCode.Local_Fenced or ErrorCode.InvalidProducerEpoch or ErrorCode.Local_Fatal || (int)error.Code == 90;

    private static Task<TResult> OnOwnThread<TResult>(Func<TResult> action, CancellationToken cancellationToken) =>
        Task.Factory.StartNew(action, cancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
