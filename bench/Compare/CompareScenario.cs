namespace OrleansMqtt.Compare;

/// <summary>One load that every server gets: the load generator's arguments.</summary>
internal sealed record CompareScenario(string Name, string Description, string[] Arguments)
{
    public bool IsConnections => Arguments[0] == "connections";

    public static IReadOnlyList<CompareScenario> All { get; } =
    [
        new("p2p-qos1", "100 publishers → 100 subscribers, QoS 1, 256 bytes, as fast as it goes", ["p2p", "--qos", "1", "--window", "100"]),
        new("p2p-qos1-5000", "the same at 5,000 messages/s", ["p2p", "--qos", "1", "--rate", "5000"]),
        new("p2p-qos1-20000", "the same at 20,000 messages/s", ["p2p", "--qos", "1", "--rate", "20000"]),
        new("p2p-qos0", "100 → 100, QoS 0, as fast as they are delivered", ["p2p", "--qos", "0", "--window", "100"]),
        new("p2p-qos2", "100 → 100, QoS 2, as fast as it goes", ["p2p", "--qos", "2", "--window", "100"]),
        new("p2p-qos2-stored", "the same with sessions that outlive their connections", ["p2p", "--qos", "2", "--window", "100", "--session-expiry", "600"]),
        new("fan-out-50", "1 publisher → 200 subscribers, QoS 1, 50 messages/s", ["fan-out", "--qos", "1", "--rate", "50"]),
        new("fan-out", "1 → 200, QoS 1, as fast as they are delivered", ["fan-out", "--qos", "1", "--window", "20", "--window-by", "delivery"]),
        new("fan-in", "100 publishers → 1 wildcard subscriber, QoS 1, 5,000 messages/s", ["fan-in", "--qos", "1", "--rate", "5000"]),
        new("connections", "idle connections", ["connections"]),
    ];
}
