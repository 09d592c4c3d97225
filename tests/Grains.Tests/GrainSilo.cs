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
