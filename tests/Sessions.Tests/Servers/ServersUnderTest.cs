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
    public static async Task<IServerUnderTest> StartOnKafkaAsync(int sessionPartitions = 4) => await OrleansMqttServer.StartAsync(new()
    {
        ["Log__Kind"] = "Kafka",
        ["Log__Kafka__BootstrapServers"] = (await KafkaBroker.SharedAsync()).BootstrapServers,
        ["Log__Kafka__TransactionalIdPrefix"] = $"{Guid.NewGuid():N}-",
        ["Topics__Sessions__Partitions"] = $"{sessionPartitions}",
    });
}
