using Microsoft.Extensions.Logging;

namespace OrleansMqtt.Log.Kafka.Wire;

/// <summary>
/// Follows many partitions: each broker that leads some is asked for all of them by one thread in one request. Partitions with batches that are not read here (compressed ones of
/// other producers) are given to a Confluent consumer for good.
/// </summary>
internal sealed class WireFollower : IKafkaFollower
{
    private readonly object _lock = new();
    private readonly Dictionary<TopicPartitionId, FollowedPartition> _partitions = [];
    private readonly HashSet<TopicPartitionId> _handedOver = [];
    private readonly Dictionary<int, BrokerFetcher> _fetchers = [];
    private readonly Lazy<IKafkaFollower> _confluent;
    private bool _isStopping;

    /// <param name="settings">The settings.</param>
    /// <param name="metadata">Who leads which partition.</param>
    /// <param name="metrics">The metrics.</param>
    /// <param name="createConfluent">Creates the follower for what is not read here.</param>
    /// <param name="logger">The logger.</param>
    public WireFollower(WireSettings settings, ClusterMetadata metadata, LogMetrics metrics, Func<IKafkaFollower> createConfluent, ILogger logger)
    {
        (Settings, Metadata, Metrics, Logger) = (settings, metadata, metrics, logger);
        _confluent = new(createConfluent);
        metadata.Refreshed += Route;
    }

    public WireSettings Settings { get; }

    public ClusterMetadata Metadata { get; }

    public LogMetrics Metrics { get; }

    public ILogger Logger { get; }

    public bool TryFollow(PartitionFeed feed, long offset)
    {
        lock (_lock)
        {
            if (_partitions.ContainsKey(feed.Partition) || _handedOver.Contains(feed.Partition))
            {
                return false;
            }

            Follow(feed, offset);
        }

        Metadata.Watch(feed.Partition.Topic);
        return true;
    }

    public void Replace(PartitionFeed feed, long offset)
    {
        lock (_lock)
        {
            if (_handedOver.Contains(feed.Partition))
            {
                _confluent.Value.Replace(feed, offset);
                return;
            }

            Follow(feed, offset);
        }
    }

    public void Unfollow(PartitionFeed feed)
    {
        lock (_lock)
        {
            if (_partitions.TryGetValue(feed.Partition, out var followed) && followed.Feed == feed)
            {
                _partitions.Remove(feed.Partition);
            }
            else if (_handedOver.Remove(feed.Partition))
            {
                _confluent.Value.Unfollow(feed);
            }
        }
    }

    /// <summary>Takes the partitions that a broker can be asked for now; what is read too far ahead rests.</summary>
    /// <returns>Whether there are some that rest.</returns>
    public bool Take(int broker, List<FollowedPartition> target)
    {
        var isResting = false;
        lock (_lock)
        {
            foreach (var partition in _partitions.Values)
            {
                if (partition.Leader != broker || partition.IsTaken || partition.IsParked || partition.IsOutOfRange)
                {
                    continue;
                }

                var feed = partition.Feed;
                feed.IsPaused = feed.IsPaused ? !feed.IsHalfEmpty : feed.IsFull;
                if (feed.IsPaused)
                {
                    isResting = true;
                    continue;
                }

                partition.IsTaken = true;
                target.Add(partition);
            }
        }

        return isResting;
    }

    /// <summary>Gives partitions back; those that moved meanwhile are fetched by another one.</summary>
    public void Release(int broker, List<FollowedPartition> taken)
    {
        lock (_lock)
        {
            foreach (var partition in taken)
            {
                partition.IsTaken = false;
                if (partition.Leader >= 0 && partition.Leader != broker)
                {
                    FetcherOf(partition.Leader).Wake();
                }
            }
        }

        taken.Clear();
    }

    /// <summary>Lets partitions wait until the leaders are known anew.</summary>
    public void Park(IEnumerable<FollowedPartition> partitions)
    {
        lock (_lock)
        {
            foreach (var partition in partitions)
            {
                partition.IsParked = true;
            }
        }

        Metadata.Refresh();
    }

    public void SetOutOfRange(FollowedPartition partition)
    {
        lock (_lock)
        {
            partition.IsOutOfRange = true;
        }

        partition.Feed.SetOutOfRange();
    }

    /// <summary>Lets the Confluent consumer go on with a partition.</summary>
    public void HandOver(FollowedPartition partition)
    {
        lock (_lock)
        {
            if (_partitions.GetValueOrDefault(partition.Id) == partition && !_isStopping)
            {
                var confluent = _confluent.Value;
                _partitions.Remove(partition.Id);
                _handedOver.Add(partition.Id);
                partition.Feed.IsPaused = false;
                confluent.Replace(partition.Feed, partition.Position);
            }
        }
    }

    public void Dispose()
    {
        Metadata.Refreshed -= Route;
        BrokerFetcher[] fetchers;
        lock (_lock)
        {
            _isStopping = true;
            fetchers = [.. _fetchers.Values];
        }

        foreach (var fetcher in fetchers)
        {
            fetcher.Dispose();
        }

        if (_confluent.IsValueCreated)
        {
            _confluent.Value.Dispose();
        }
    }

    private void Follow(PartitionFeed feed, long offset)
    {
        FollowedPartition partition = new(feed, offset) { Leader = Metadata.Current.LeaderOf(feed.Partition) };
        _partitions[feed.Partition] = partition;
        if (partition.Leader >= 0)
        {
            FetcherOf(partition.Leader).Wake();
        }
        else
        {
            Metadata.Refresh();
        }
    }

    private void Route()
    {
        var current = Metadata.Current;
        var isLeaderless = false;
        lock (_lock)
        {
            if (_isStopping)
            {
                return;
            }

            HashSet<int> woken = [];
            foreach (var partition in _partitions.Values)
            {
                var (before, wasParked) = (partition.Leader, partition.IsParked);
                partition.Leader = current.LeaderOf(partition.Id);
                partition.IsParked = false;
                isLeaderless |= partition.Leader < 0;
                if (partition.Leader >= 0 && (partition.Leader != before || wasParked))
                {
                    woken.Add(partition.Leader);
                    if (partition.IsTaken && before != partition.Leader && before >= 0)
                    {
                        // The one that leads no more is not waited for: it may be frozen.
                        woken.Add(before);
                    }
                }
            }

            foreach (var broker in woken)
            {
                FetcherOf(broker).Wake();
            }
        }

        if (isLeaderless)
        {
            Metadata.Refresh();
        }
    }

    private BrokerFetcher FetcherOf(int broker)
    {
        if (!_fetchers.TryGetValue(broker, out var fetcher))
        {
            _fetchers[broker] = fetcher = new(this, broker);
        }

        return fetcher;
    }
}
