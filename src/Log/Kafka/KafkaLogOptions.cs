namespace OrleansMqtt.Log.Kafka;

/// <summary>Settings of Kafka (<c>Log:Kafka</c>). Every setting of librdkafka can be given, except those that guarantees rest on.</summary>
public sealed class KafkaLogOptions
{
    /// <summary>Brokers to begin with: <c>host:port</c>, separated by commas.</summary>
    public string BootstrapServers { get; set; } = "";

    /// <summary>The replication factor of topics that are created, and the least that existing ones must have; -1 takes the broker's default and any existing one.</summary>
    public short ReplicationFactor { get; set; } = -1;

    /// <summary>
    /// The largest record that topics take which are created (<c>max.message.bytes</c>). A record holds a packet, and its topic and its client beside it: it has to be larger than what
    /// clients may send.
    /// </summary>
    public int MaximumRecordBytes { get; set; } = 2 * 1024 * 1024;

    /// <summary>How long a record may wait for others to share its request, in milliseconds.</summary>
    public double LingerMilliseconds { get; set; } = 1;

    /// <summary>The client that carries records to Kafka and back.</summary>
    public KafkaTransport Transport { get; set; }

    /// <summary>What the transactional ids start with. Servers that share a Kafka cluster and not their topics need different ones.</summary>
    public string TransactionalIdPrefix { get; set; } = "orleansmqtt-";

    /// <summary>librdkafka settings of all clients, such as <c>security.protocol</c> and <c>sasl.mechanism</c>.</summary>
    public Dictionary<string, string> Client { get; } = [];

    /// <summary>librdkafka settings of the producers.</summary>
    public Dictionary<string, string> Producer { get; } = [];

    /// <summary>librdkafka settings of the consumers.</summary>
    public Dictionary<string, string> Consumer { get; } = [];

    /// <summary>librdkafka settings of the admin client.</summary>
    public Dictionary<string, string> Admin { get; } = [];
}
