using OrleansMqtt.TestKit;

namespace OrleansMqtt.Sessions.Tests.Servers;

/// <summary>The servers by name, as test data has them.</summary>
internal static class ServersUnderTest
{
    public const string Embedded = "Embedded";
    public const string Kafka = "Kafka";
    public const string Mosquitto = "mosquitto";

    public static async Task<IServerUnderTest> StartAsync(string name) => name switch
    {
        Mosquitto => await MosquittoServer.StartAsync(),
        Kafka => await StartOnKafkaAsync(),
        _ => await OrleansMqttServer.StartAsync(new() { ["Log__Kind"] = "Embedded" }),
    };

    /// <param name="sessionPartitions">The partitions of the sessions topic.</param>
    /// <param name="maximumRecordBytes">The largest record that its topics take.</param>
    public static async Task<IServerUnderTest> StartOnKafkaAsync(int sessionPartitions = 4, int maximumRecordBytes = 2 * 1024 * 1024) => await OrleansMqttServer.StartAsync(new()
    {
        ["Log__Kind"] = "Kafka",
        ["Log__Kafka__BootstrapServers"] = (await KafkaBroker.SharedAsync()).BootstrapServers,
        ["Log__Kafka__TransactionalIdPrefix"] = $"{Guid.NewGuid():N}-",
        ["Log__Kafka__MaximumRecordBytes"] = $"{maximumRecordBytes}",
        ["Topics__Sessions__Partitions"] = $"{sessionPartitions}",
    });
}
