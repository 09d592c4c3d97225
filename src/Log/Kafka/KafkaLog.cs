using System.Collections.Concurrent;
using Confluent.Kafka;
using Microsoft.Extensions.Logging;
using OrleansMqtt.Log.Kafka.Wire;

namespace OrleansMqtt.Log.Kafka;

/// <summary>The log on Apache Kafka.</summary>
internal sealed class KafkaLog : IMessageLog
{
    private static readonly TimeSpan ClosingLimit = TimeSpan.FromSeconds(10);
    private readonly KafkaLogOptions _options;
    private readonly ILogger _logger;
    private readonly LogMetrics _metrics = new("kafka");
    private readonly ConcurrentDictionary<Task, bool> _closing = [];
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentDictionary<string, TopicPartition[]> _topics = new(StringComparer.Ordinal);
    private readonly KafkaAdmin _admin;
    private readonly IKafkaAppender _appender;
    private readonly WireSettings? _wire;
    private readonly ClusterMetadata? _metadata;
    private readonly WireQuery? _wireQuery;
    private readonly WireHealthProbe? _wireProbe;
    private readonly KafkaOffsets _offsets;
    private readonly KafkaTopics _topicChecks;
    private readonly KafkaHealth _health;
    private readonly KafkaRangeReader _ranges;
    private readonly WireRangeReader? _wireRanges;
    private readonly List<IKafkaFollower> _followers = [];

    // Whether the transaction whose end Kafka has lost was committed, by owner, until it is opened again.
    private readonly ConcurrentDictionary<string, bool> _lostEnds = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, int> _largestBatches = new(StringComparer.Ordinal);

    public KafkaLog(KafkaLogOptions options, ILogger<KafkaLog> logger)
    {
        (_options, _logger) = (options, logger);
        Description = $"Kafka at {options.BootstrapServers}";
        try
        {
            _admin = new(() => new AdminClientBuilder(KafkaClientSettings.Admin(options)).SetLogHandler((_, message) => logger.LogClient(message)).Build(), Close);
            _health = new(options, Description, logger);
            _wire = ChooseWire();
            if (_wire is not null)
            {
                _metadata = new(_wire, _health.OnUnreachable, logger);
                _wireQuery = new(_wire, _metadata, logger);
                _appender = new WireAppender(_wire, _metadata, _metrics, logger);
            }
            else
            {
                _appender = new KafkaAppender(options, _metrics, _health, logger);
            }

            _followers.Add(CreateFollower());
        }
        catch (Exception exception) when (exception is KafkaException or InvalidOperationException or ArgumentException)
        {
            throw new LogConfigurationException($"Log:Kafka has a setting that the Kafka client refuses: {exception.Message}");
        }

        _offsets = new(_wireQuery ?? (IOffsetQuery)new ConfluentOffsetQuery(_admin), _stopping.Token);
        _topicChecks = new(_admin, _wireQuery, options, logger);
        _ranges = new(this, CreateRangeConsumer);
        _wireRanges = _wire is null ? null : new(this, _wire, _metadata!, _ranges, logger);
        if (_wire is not null)
        {
            _wireProbe = new(_wire, _health, logger);
        }
        else
        {
            _ = _health.ProbeAsync(_admin, _stopping.Token);
        }
    }

    public string Description { get; }

    public LogHealth Health => _health.Current;

    public async Task EnsureTopicsAsync(IReadOnlyCollection<TopicSpecification> topics, CancellationToken cancellationToken)
    {
        foreach (var (topic, (partitions, largestBatch)) in await _topicChecks.EnsureAsync(topics, cancellationToken))
        {
            _appender.AddTopic(topic, partitions);
            _largestBatches[topic] = largestBatch;
            _topics[topic] = [.. Enumerable.Range(0, partitions).Select(partition => new TopicPartition(topic, partition))];
        }
    }

    public int GetPartitionCount(string topic) => PartitionsOf(topic).Length;

    public Task<Guid[]> GetTopicIdsAsync(IReadOnlyList<string> topics, CancellationToken cancellationToken) => _topicChecks.ReadIdsAsync(topics, cancellationToken);

    public void Append(string topic, in LogRecord record, IAppendCompletion completion, long state) =>
        _appender.Append(topic, PartitionOf(topic, record).Partition.Value, record, completion, state);

    /// <summary>Why a topic does not take a record; null when it does, or when that is not known.</summary>
    internal string? WhyRefused(in TopicRecord record) =>
        _largestBatches.TryGetValue(record.Topic, out var largest) && AppendBatch.SizeOf(record.Record) is var size && size > largest
            ? $"topic '{record.Topic}' takes records of {largest} bytes at most (max.message.bytes), and it has {size}"
            : null;

    public async Task<ILogOwner> OpenOwnerAsync(string ownerName, CancellationToken cancellationToken)
    {
        var config = KafkaClientSettings.TransactionalProducer(_options, ownerName, _largestBatches.IsEmpty ? int.MaxValue : _largestBatches.Values.Min());
        KafkaTransactions? transactions = null;
        if (_wire is not null)
        {
            transactions = new(ownerName, config.TransactionalId, TimeSpan.FromMilliseconds(config.TransactionTimeoutMs!.Value), _wire, _metadata!, _wireQuery!, _logger);
            var partitions = _topics.SelectMany(topic => topic.Value).Select(partition => new TopicPartitionId(partition.Topic, partition.Partition.Value)).ToHashSet();
            bool? wasCommitted = _lostEnds.TryGetValue(ownerName, out var isCommitted) ? isCommitted : null;
            await transactions.TakeOverAsync(partitions, wasCommitted, cancellationToken);
            _lostEnds.TryRemove(ownerName, out _);
        }

        var producer = new ProducerBuilder<byte[]?, byte[]?>(config)
            .SetErrorHandler((_, error) => _health.OnError(error))
            .SetLogHandler((_, message) => _logger.LogClient(message))
            .Build();
        KafkaOwner owner = new(ownerName, producer, this, transactions, _metrics, _logger);
        try
        {
            await owner.InitializeAsync(cancellationToken);
            return owner;
        }
        catch
        {
            await owner.DisposeAsync();
            throw;
        }
    }

    public ILogReader OpenReader(string topic, int partition, long offset)
    {
        PartitionFeed feed = new(new(topic, partition), offset);
        lock (_followers)
        {
            foreach (var follower in _followers)
            {
                if (follower.TryFollow(feed, offset))
                {
                    return new KafkaReader(this, follower, feed);
                }
            }

            // Another reader of a partition that is followed already.
            var added = CreateFollower();
            _followers.Add(added);
            added.TryFollow(feed, offset);
            return new KafkaReader(this, added, feed);
        }
    }

    public Task<LogBatch> ReadRangeAsync(string topic, int partition, long from, int maxRecords, CancellationToken cancellationToken) =>
        _wireRanges?.ReadAsync(new(topic, partition), from, maxRecords, cancellationToken) ?? _ranges.ReadAsync(new(topic, partition), from, maxRecords, cancellationToken);

    public Task<OffsetRange[]> GetOffsetsAsync(IReadOnlyList<TopicPartitionId> partitions, CancellationToken cancellationToken) =>
        _offsets.GetAsync(partitions, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (_stopping.IsCancellationRequested)
        {
            return;
        }

        await _stopping.CancelAsync();
        await Task.WhenAll(_closing.Keys).WaitAsync(ClosingLimit).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.Run(() =>
        {
            _appender.Dispose();
            foreach (var follower in _followers)
            {
                follower.Dispose();
            }

            _wireRanges?.Dispose();
            _wireProbe?.Dispose();
            _wireQuery?.Dispose();
            _metadata?.Dispose();
            _ranges.Dispose();
            _admin.Dispose();
        });
    }

    /// <summary>Closes a client that is not used any more. It has nothing more to send, and takes some tenths of a second, for which nobody should wait.</summary>
    internal void Close(IDisposable client)
    {
        var closing = Task.Run(() =>
        {
            try
            {
                client.Dispose();
            }
            catch (Exception exception)
            {
                _logger.LogClientNotClosed(exception);
            }
        });
        _closing.TryAdd(closing, true);
        closing.ContinueWith(closed => _closing.TryRemove(closed, out _), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
    }

    /// <summary>Remembers how a transaction ended, for the next owner.</summary>
    internal void OnLostEnd(string ownerName, bool isCommitted) => _lostEnds[ownerName] = isCommitted;

    /// <summary>A topic that is there; null before there is one.</summary>
    internal string? AnyTopic => _topics.Keys.FirstOrDefault();

    /// <summary>The client that records go by.</summary>
    internal IKafkaAppender Appender => _appender;

    internal TopicPartition PartitionOf(string topic, in LogRecord record)
    {
        var partitions = PartitionsOf(topic);
        return partitions[record.Partition ?? KafkaPartitioner.PartitionOf(record.Key.Span, partitions.Length)];
    }

    private IKafkaFollower CreateFollower() => _wire is null ? CreateConfluent() : new WireFollower(_wire, _metadata!, _metrics, CreateConfluent, _logger);

    private KafkaFollower CreateConfluent() => new(_options, _metrics, _health.OnError, _logger);

    private WireSettings? ChooseWire()
    {
        if (_options.Transport == KafkaTransport.Confluent)
        {
            return null;
        }

        if (WireSettings.FindUnknown(_options) is { } unknown)
        {
            _logger.LogConfluentChosen(unknown);
            return null;
        }

        return WireSettings.Create(_options);
    }

    private TopicPartition[] PartitionsOf(string topic) =>
        _topics.TryGetValue(topic, out var partitions) ? partitions : throw new InvalidOperationException($"Topic '{topic}' was not ensured.");

    private IConsumer<byte[]?, byte[]?> CreateRangeConsumer() =>
        new ConsumerBuilder<byte[]?, byte[]?>(KafkaClientSettings.RangeConsumer(_options))
            .SetErrorHandler((_, error) => _health.OnError(error))
            .SetLogHandler((_, message) => _logger.LogClient(message))
            .Build();
}
