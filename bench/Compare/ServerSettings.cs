namespace OrleansMqtt.Compare;

/// <summary>The settings of our server that the comparison needs, in one place.</summary>
internal static class ServerSettings
{
    public const string ReadyPath = "/health/ready";

    public static Dictionary<string, string> OnKafka(int mqttPort, int httpPort, string bootstrapServers, string topicPrefix) => new(Common(mqttPort, httpPort))
    {
        ["Log__Kind"] = "Kafka",
        ["Log__Kafka__BootstrapServers"] = bootstrapServers,
        ["Topics__Messages__Name"] = $"{topicPrefix}-messages",
        ["Topics__Retained__Name"] = $"{topicPrefix}-retained",
        ["Topics__Sessions__Name"] = $"{topicPrefix}-sessions",
    };

    public static Dictionary<string, string> OnEmbeddedLog(int mqttPort, int httpPort, string directory) => new(Common(mqttPort, httpPort))
    {
        ["Log__Kind"] = "Embedded",
        ["Log__Embedded__Directory"] = directory,
    };

    /// <summary>One of several processes on this machine; the first keeps the list of them.</summary>
    public static void JoinCluster(Dictionary<string, string> settings, int siloPort, int primaryPort)
    {
        settings["Cluster__PrimarySilo"] = $"127.0.0.1:{primaryPort}";
        settings["Cluster__SiloPort"] = $"{siloPort}";
    }

    private static Dictionary<string, string> Common(int mqttPort, int httpPort) => new()
    {
        ["Mqtt__Listeners__0__Port"] = $"{mqttPort}",
        ["Http__Port"] = $"{httpPort}",
        ["Logging__LogLevel__Default"] = "Warning",
    };
}
