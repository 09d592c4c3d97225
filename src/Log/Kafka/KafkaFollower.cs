using System.Collections.Concurrent;
using Confluent.Kafka;
using Microsoft.Extensions.Logging;
using ErrorCode = Confluent.Kafka.ErrorCode;

namespace OrleansMqtt.Log.Kafka;

/// <summary>
/// One consumer that follows many partitions, so that one fetch request serves them all, with a thread that hands bursts on to the partitions' feeds. Assigned by hand; no group,
/// no commits.
/// </summary>
internal sealed class KafkaFollower : IKafkaFollower
{
    private const int BurstRecords = 2_000;
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(10);
    private readonly IConsumer<byte[]?, byte[]?> _consumer;
    private readonly ConcurrentQueue<(PartitionFeed Feed, long? Offset)> _changes = new();
    private readonly ConcurrentDictionary<TopicPartitionId, PartitionFeed> _claimed = new();
    private readonly Dictionary<TopicPartition, PartitionFeed> _feeds = [];
    private readonly Dictionary<PartitionFeed, (List<StoredRecord> Records, long To)> _burst = [];
    private readonly LogMetrics _metrics;
    private readonly ILogger _logger;
    private readonly Thread _thread;
    private volatile bool _isStopping;

    public KafkaFollower(KafkaLogOptions options, LogMetrics metrics, Action<Error> onError, ILogger logger)
    {
        (_metrics, _logger) = (metrics, logger);
        _consumer = new ConsumerBuilder<byte[]?, byte[]?>(KafkaClientSettings.Consumer(options, readAheadRecords: 10_000))
            .SetErrorHandler((_, error) => onError(error))
            .SetLogHandler((_, message) => logger.LogClient(message))
            .Build();
        _thread = new(Run) { IsBackground = true, Name = "Kafka follower" };
        _thread.Start();
    }

    public bool TryFollow(PartitionFeed feed, long offset)
    {
        if (!_claimed.TryAdd(feed.Partition, feed))
        {
            return false;
        }

        _changes.Enqueue((feed, offset));
        return true;
    }

    public void Replace(PartitionFeed feed, long offset)
    {
        _claimed[feed.Partition] = feed;
        _changes.Enqueue((feed, offset));
    }

    public void Unfollow(PartitionFeed feed) => _changes.Enqueue((feed, null));

    public void Dispose()
    {
        _isStopping = true;
        _thread.Join();
        _consumer.Close();
        _consumer.Dispose();
    }

    private void Run()
    {
        while (!_isStopping)
        {
            try
            {
                ApplyChanges();
                ResumeFeeds();
                ReadBurst();
            }
            catch (ConsumeException exception)
            {
                HandBurst();
                OnError(exception);
            }
            catch (KafkaException exception)
            {
                HandBurst();
                _logger.LogReadFailed(exception.Error.Reason);
            }
        }
    }

    private void ApplyChanges()
    {
        while (_changes.TryDequeue(out var change))
        {
            TopicPartition partition = new(change.Feed.Partition.Topic, change.Feed.Partition.Partition);
            if (_feeds.Remove(partition))
            {
                _consumer.IncrementalUnassign([partition]);
            }

            if (change.Offset is { } offset)
            {
                _feeds.Add(partition, change.Feed);
                _consumer.IncrementalAssign([new TopicPartitionOffset(partition, offset)]);
            }
            else
            {
                // Only now may another reader have the partition here.
                _claimed.TryRemove(new(change.Feed.Partition, change.Feed));
            }
        }
    }

    private void ResumeFeeds()
    {
        foreach (var (partition, feed) in _feeds)
        {
            if (feed.IsPaused && feed.IsHalfEmpty)
            {
                _consumer.Resume([partition]);
                feed.IsPaused = false;
            }
        }
    }

    private void ReadBurst()
    {
        var result = _consumer.Consume(Poll);
        for (var count = 0; result is not null; count++)
        {
            Take(result);
            result = count < BurstRecords ? _consumer.Consume(TimeSpan.Zero) : null;
        }

        ReachBehindMarkers();
        HandBurst();
    }

    /// <summary>The client passes over transaction markers without a word, but its position says so: a stretch that ends with them ends behind them.</summary>
    private void ReachBehindMarkers()
    {
        foreach (var (feed, burst) in _burst)
        {
            if (burst.Records.Count > 0 && _consumer.Position(new(feed.Partition.Topic, feed.Partition.Partition)) is { IsSpecial: false } position && position.Value > burst.To)
            {
                _burst[feed] = (burst.Records, position.Value);
            }
        }
    }

    private void Take(ConsumeResult<byte[]?, byte[]?> result)
    {
        if (!_feeds.TryGetValue(result.TopicPartition, out var feed))
        {
            return;
        }

        if (!_burst.TryGetValue(feed, out var burst))
        {
            burst.Records = [];
        }

        if (result.IsPartitionEOF)
        {
            burst.To = result.Offset.Value;
        }
        else
        {
            burst.Records.Add(KafkaRecords.ToRecord(result));
            burst.To = result.Offset.Value + 1;
        }

        _burst[feed] = burst;
    }

    private void HandBurst()
    {
        foreach (var (feed, burst) in _burst)
        {
            feed.Add(burst.Records, burst.To);
            _metrics.CountRead(feed.Partition.Topic, burst.Records.Count);
            if (!feed.IsPaused && feed.IsFull)
            {
                _consumer.Pause([new(feed.Partition.Topic, feed.Partition.Partition)]);
                feed.IsPaused = true;
            }
        }

        _burst.Clear();
    }

    private void OnError(ConsumeException exception)
    {
        if (exception.Error.Code is ErrorCode.Local_AutoOffsetReset or ErrorCode.OffsetOutOfRange
            && exception.ConsumerRecord is { } record && _feeds.TryGetValue(record.TopicPartition, out var feed))
        {
            feed.SetOutOfRange();
            return;
        }

        _metrics.CountError(exception.Error.Code.ToString());
        _logger.LogReadFailed(exception.Error.Reason);
    }
}
