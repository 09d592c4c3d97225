using Confluent.Kafka;
using ErrorCode = Confluent.Kafka.ErrorCode;

namespace OrleansMqtt.Log.Kafka;

/// <summary>Reads single stretches with a few consumers of its own, so that those who follow the end are not disturbed.</summary>
internal sealed class KafkaRangeReader(KafkaLog log, Func<IConsumer<byte[]?, byte[]?>> create) : IDisposable
{
    private const int MaximumConsumers = 4;
    private const long MaximumBytes = 8 << 20;
    private static readonly TimeSpan RestAfter = TimeSpan.FromSeconds(1);
    private readonly SemaphoreSlim _places = new(MaximumConsumers);
    private readonly Lock _lock = new();
    private readonly List<Place> _idle = [];
    private Timer? _resting;

    public async Task<LogBatch> ReadAsync(TopicPartitionId partition, long from, int maxRecords, CancellationToken cancellationToken)
    {
        await _places.WaitAsync(cancellationToken);
        var place = Take(partition, from);
        try
        {
            // The client's calls block.
            var batch = await Task.Factory.StartNew(
                () => Read(place, partition, from, maxRecords, cancellationToken), cancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            if (batch is not null)
            {
                return batch;
            }
        }
        finally
        {
            Return(place);
            _places.Release();
        }

        var range = (await log.GetOffsetsAsync([partition], cancellationToken))[0];
        throw new OffsetOutOfRangeException(partition, from, range);
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _resting?.Dispose();
            foreach (var place in _idle)
            {
                place.Consumer.Close();
                place.Consumer.Dispose();
            }

            _idle.Clear();
        }
    }

    private static LogBatch? Read(Place place, TopicPartitionId partition, long from, int maxRecords, CancellationToken cancellationToken)
    {
        var consumer = place.Consumer;
        if (place.Partition != partition || place.Next != from)
        {
            consumer.Assign(new TopicPartitionOffset(partition.Topic, partition.Partition, from));
        }

        place.Partition = default;
        List<StoredRecord> records = [];
        long bytes = 0;
        var to = from;
        while (records.Count < maxRecords && bytes < MaximumBytes)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ConsumeResult<byte[]?, byte[]?>? result;
            try
            {
                result = consumer.Consume(TimeSpan.FromMilliseconds(100));
            }
            catch (ConsumeException exception) when (exception.Error.Code is ErrorCode.Local_AutoOffsetReset or ErrorCode.OffsetOutOfRange)
            {
                return null;
            }
            catch (ConsumeException exception) when (!exception.Error.IsFatal)
            {
                continue;
            }

            if (result is null)
            {
                if (records.Count > 0)
                {
                    break;
                }

                continue;
            }

            if (result.IsPartitionEOF)
            {
                to = Math.Max(to, result.Offset.Value);
                consumer.Unassign();
                return Batch();
            }

            var record = KafkaRecords.ToRecord(result);
            records.Add(record);
            bytes += KafkaRecords.SizeOf(record);
            to = record.Offset + 1;
        }

        // The next stretch is often asked for next: the consumer goes on without a new start. Not after the end, which it tells only once.
        (place.Partition, place.Next) = (partition, to);
        return Batch();

        LogBatch Batch() => new() { Topic = partition.Topic, Partition = partition.Partition, From = from, To = to, Records = [.. records] };
    }

    private Place Take(TopicPartitionId partition, long from)
    {
        lock (_lock)
        {
            if (_idle.Count == 0)
            {
                return new(create());
            }

            var index = Math.Max(0, _idle.FindIndex(place => place.Partition == partition && place.Next == from));
            var place = _idle[index];
            _idle.RemoveAt(index);
            return place;
        }
    }

    private void Return(Place place)
    {
        lock (_lock)
        {
            place.UsedAt = Environment.TickCount64;
            _idle.Add(place);
            _resting ??= new(_ => Rest(), null, RestAfter, RestAfter);
        }
    }

    /// <summary>A consumer that waits for a next stretch goes on fetching: not for long.</summary>
    private void Rest()
    {
        lock (_lock)
        {
            foreach (var place in _idle)
            {
                if (place.Partition != default && Environment.TickCount64 - place.UsedAt >= RestAfter.TotalMilliseconds)
                {
                    place.Consumer.Unassign();
                    place.Partition = default;
                }
            }
        }
    }

    private sealed class Place(IConsumer<byte[]?, byte[]?> consumer)
    {
        public IConsumer<byte[]?, byte[]?> Consumer { get; } = consumer;

        public TopicPartitionId Partition { get; set; }

        public long Next { get; set; }

        public long UsedAt { get; set; }
    }
}
