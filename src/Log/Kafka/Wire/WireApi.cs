namespace OrleansMqtt.Log.Kafka.Wire;

/// <summary>A request of Kafka's protocol in the one version that is spoken here; brokers since Kafka 2.4 know them all, but for the identities of topics (2.8, KIP-516) and those that describe transactions (3.0, KIP-664).</summary>
/// <param name="Name">Its name.</param>
/// <param name="Key">Its number.</param>
/// <param name="Version">The version.</param>
/// <param name="IsFlexible">Whether this version has compact fields and tags (KIP-482).</param>
internal readonly record struct WireApi(string Name, short Key, short Version, bool IsFlexible = false)
{
    public static readonly WireApi Produce = new("Produce", 0, 8);
    public static readonly WireApi Fetch = new("Fetch", 1, 11);
    public static readonly WireApi ListOffsets = new("ListOffsets", 2, 5);
    public static readonly WireApi Metadata = new("Metadata", 3, 7);
    public static readonly WireApi MetadataWithIdentities = new("Metadata", 3, 10, IsFlexible: true);
    public static readonly WireApi FindCoordinator = new("FindCoordinator", 10, 1);
    public static readonly WireApi SaslHandshake = new("SaslHandshake", 17, 1);
    public static readonly WireApi ApiVersions = new("ApiVersions", 18, 0);
    public static readonly WireApi InitProducerId = new("InitProducerId", 22, 1);
    public static readonly WireApi AddPartitionsToTxn = new("AddPartitionsToTxn", 24, 0);
    public static readonly WireApi EndTxn = new("EndTxn", 26, 0);
    public static readonly WireApi SaslAuthenticate = new("SaslAuthenticate", 36, 1);
    public static readonly WireApi DescribeProducers = new("DescribeProducers", 61, 0, IsFlexible: true);
    public static readonly WireApi DescribeTransactions = new("DescribeTransactions", 65, 0, IsFlexible: true);

    /// <summary>What a broker has to know.</summary>
    public static readonly WireApi[] Required = [Produce, Fetch, ListOffsets, Metadata, FindCoordinator, InitProducerId, AddPartitionsToTxn, EndTxn];
}
