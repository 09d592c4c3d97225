using System.Net;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Orleans.Hosting;
using OrleansMqtt.Log;
using OrleansMqtt.TestKit;

namespace OrleansMqtt.Grains.Tests;

/// <summary>A silo with the grains, on a log that stays open when it stops.</summary>
internal static class GrainSilo
{
    /// <summary>With one partition of sessions and one of messages, and an edge whose connections are numbers.</summary>
    public static IHost CreateWithEdge(IMessageLog log, HandOverGate gate) => Create(
        log,
        silo =>
        {
            silo.Services.AddSingleton(gate).AddSingleton<ClosedConnections>();
            silo.AddGrainService<EdgeOfTests>();
        },
        new("Topics:Sessions:Partitions", "1"),
        new("Topics:Messages:Partitions", "1"));

    public static IHost Create(IMessageLog log, Action<ISiloBuilder> configure, params KeyValuePair<string, string?>[] settings)
    {
        var port = TestPorts.Free();
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Critical);
        builder.Configuration.AddInMemoryCollection(settings);
        builder.Services.AddSingleton(log);
        builder.UseOrleans(silo =>
        {
            silo.UseLocalhostClustering(port, 0, new IPEndPoint(IPAddress.Loopback, port));
            silo.Configure<GrainCollectionOptions>(static options => options.CollectionQuantum = TimeSpan.FromSeconds(30));
            silo.AddMqttGrains(builder.Configuration);
            configure(silo);
        });
        return builder.Build();
    }
}
