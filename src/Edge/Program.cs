using OrleansMqtt.Edge.Configuration;
using OrleansMqtt.Hosting;

namespace OrleansMqtt.Edge;

/// <summary>An edge without partitions: MQTT connections, served by the silos of its cluster.</summary>
internal static class Program
{
    private static Task<int> Main(string[] args) => ServerHost.RunAsync(
        args, new(ClusterRoles.Edge, static (silo, _) => silo.AddMqttEdge(silo.Configuration.GetSection(EdgeOptions.SectionName)), static _ => ""));
}
