using System.Collections.Concurrent;
using System.Diagnostics;
using Confluent.Kafka;
using Microsoft.Extensions.Logging;

namespace OrleansMqtt.Log.Kafka;

/// <summary>The one producer of the process, by the Confluent client: idempotent, acknowledged by all in-sync replicas, and it never gives up.</summary>
internal sealed class KafkaAppender : IKafkaAppender
{
    private readonly IProducer<byte[]?, byte[]?> _producer;
    private readonly ConcurrentQueue<Pending> _pool = new();
    private readonly LogMetrics _metrics;

    public KafkaAppender(KafkaLogOptions options, LogMetrics metrics, KafkaHealth health, ILogger logger)
    {
        _metrics = metrics;
        _producer = new ProducerBuilder<byte[]?, byte[]?>(KafkaClientSettings.Producer(options))
            .SetErrorHandler((_, error) => health.OnProducerError(error))
            .SetLogHandler((_, message) => logger.LogClient(message))
            .Build();
    }

    public void AddTopic(string topic, int partitions)
    {
        // It finds out by itself.
    }

    public void Append(string topic, int partition, in LogRecord record, IAppendCompletion completion, long state)
    {
        if (!_pool.TryDequeue(out var pending))
        {
            pending = new(this);
        }

        pending.Start(completion, state, record.Key.Length + (record.Value?.Length ?? 0));
        try
        {
            _producer.Produce(new TopicPartition(topic, partition), KafkaRecords.ToMessage(record), pending.Handler);
        }
        catch (KafkaException exception)
        {
            pending.Complete(topic, KafkaRecords.ToFailure(exception.Error));
        }
    }

    public void Dispose()
    {
        _producer.Flush(TimeSpan.FromSeconds(10));
        _producer.Dispose();
    }

    // Used again, with its delegate, so that a record costs neither.
    private sealed class Pending
    {
        private readonly KafkaAppender _appender;
        private IAppendCompletion _completion = null!;
        private long _state;
        private long _startedAt;
        private int _size;

        public Pending(KafkaAppender appender)
        {
            _appender = appender;
            Handler = OnReport;
        }

        public Action<DeliveryReport<byte[]?, byte[]?>> Handler { get; }

        public void Start(IAppendCompletion completion, long state, int size) =>
            (_completion, _state, _size, _startedAt) = (completion, state, size, LogMetrics.MeasuresAppends ? Stopwatch.GetTimestamp() : 0);

        public void Complete(string topic, AppendResult result)
        {
            var (completion, state) = (_completion, _state);
            if (result.IsStored)
            {
                _appender._metrics.CountAppended(topic, 1, _size);
                _appender._metrics.RecordAppend(_startedAt);
            }
            else
            {
                _appender._metrics.CountFailed(topic);
            }

            _completion = null!;
            _appender._pool.Enqueue(this);
            completion.OnAppended(state, result);
        }

        private void OnReport(DeliveryReport<byte[]?, byte[]?> report) =>
            Complete(report.Topic, report.Error.IsError ? KafkaRecords.ToFailure(report.Error) : AppendResult.Stored(report.Partition.Value, report.Offset.Value));
    }
}
