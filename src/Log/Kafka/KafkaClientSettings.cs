using Confluent.Kafka;

namespace OrleansMqtt.Log.Kafka;

/// <summary>The settings of the Kafka clients: ours, and over them what the configuration says.</summary>
internal static class KafkaClientSettings
{
    // Guarantees rest on these: an acknowledged record is on all in-sync replicas, in order, once, and readers see only what is committed.
    private static readonly string[] Fixed =
    [
        "bootstrap.servers", "acks", "request.required.acks", "enable.idempotence", "message.timeout.ms", "delivery.timeout.ms", "transactional.id", "isolation.level",
        "enable.auto.commit", "enable.partition.eof", "auto.offset.reset", "group.id", "partitioner", "enable.gapless.guarantee",
    ];

    public static IEnumerable<string> Validate(KafkaLogOptions options)
    {
        foreach (var (section, settings) in new[] { ("Client", options.Client), ("Producer", options.Producer), ("Consumer", options.Consumer), ("Admin", options.Admin) })
        {
            foreach (var (name, value) in settings)
            {
                if (Fixed.Contains(name))
                {
                    yield return $"Log:Kafka:{section}:{name} is '{value}': this setting cannot be changed, guarantees rest on it.";
                }
            }
        }
    }

    public static ProducerConfig Producer(KafkaLogOptions options)
    {
        ProducerConfig config = new(Common(options))
        {
            Acks = Acks.All,
            EnableIdempotence = true,
            MessageTimeoutMs = 0,
            LingerMs = options.LingerMilliseconds,
            QueueBufferingMaxMessages = 10_000_000,
            QueueBufferingMaxKbytes = 2_097_151,
            MessageMaxBytes = 1_000_000_000,
            DeliveryReportFields = "none",
        };
        return Apply(config, options.Client, options.Producer);
    }

    /// <param name="options">The options.</param>
    /// <param name="owner">Its name.</param>
    /// <param name="largestBatch">Bytes of the largest batch that all topics take.</param>
    public static ProducerConfig TransactionalProducer(KafkaLogOptions options, string owner, int largestBatch)
    {
        var config = Producer(options);
        config.BatchSize = Math.Min(config.BatchSize ?? 1_000_000, largestBatch);
        config.TransactionalId = options.TransactionalIdPrefix + owner;
        // Longer than a broker needs to start again. It is not what ends the transaction of an owner that died: the next one does.
        config.TransactionTimeoutMs ??= 60_000;

        // A transaction is sent when it is complete: nothing joins it later.
        config.LingerMs = 0;

        // The client allows no more than the transaction's own time; what times out is tried again with the whole transaction, as long as it takes.
        config.MessageTimeoutMs = config.TransactionTimeoutMs;
        return config;
    }

    /// <param name="options">The options.</param>
    /// <param name="readAheadRecords">How many records a client fetches ahead.</param>
    public static ConsumerConfig Consumer(KafkaLogOptions options, int readAheadRecords) => Apply(Reading(options, readAheadRecords), options.Client, options.Consumer);

    /// <summary>For single stretches: the end of a partition is told at once, whatever followers wait for.</summary>
    public static ConsumerConfig RangeConsumer(KafkaLogOptions options)
    {
        var config = Consumer(options, readAheadRecords: 1_000);
        config.FetchMinBytes = 1;
        config.FetchWaitMaxMs = 5;
        return config;
    }

    private static ConsumerConfig Reading(KafkaLogOptions options, int readAheadRecords) => new(Common(options))
    {
        GroupId = "orleansmqtt-unused",
        EnableAutoCommit = false,
        EnableAutoOffsetStore = false,
        EnablePartitionEof = true,
        IsolationLevel = IsolationLevel.ReadCommitted,
        AutoOffsetReset = AutoOffsetReset.Error,
        QueuedMinMessages = readAheadRecords,
        QueuedMaxMessagesKbytes = 16_384,
        FetchErrorBackoffMs = 50,
        FetchQueueBackoffMs = 10,
        ConsumeResultFields = "headers,timestamp,topic",
    };

    public static AdminClientConfig Admin(KafkaLogOptions options) => Apply(new AdminClientConfig(Common(options)), options.Client, options.Admin);

    private static Dictionary<string, string> Common(KafkaLogOptions options) => new()
    {
        ["bootstrap.servers"] = options.BootstrapServers,
        ["client.id"] = "orleansmqtt",
        ["socket.nagle.disable"] = "true",
        ["reconnect.backoff.ms"] = "50",
        ["reconnect.backoff.max.ms"] = "1000",
        ["retry.backoff.ms"] = "50",
        ["topic.metadata.propagation.max.ms"] = "5000",
    };

    private static TConfig Apply<TConfig>(TConfig config, params ReadOnlySpan<Dictionary<string, string>> settings)
        where TConfig : ClientConfig
    {
        foreach (var dictionary in settings)
        {
            foreach (var (name, value) in dictionary)
            {
                config.Set(name, value);
            }
        }

        return config;
    }
}
