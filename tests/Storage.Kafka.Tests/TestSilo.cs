using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Storage;
using OrleansMqtt.Log;
using OrleansMqtt.TestKit;

namespace OrleansMqtt.Storage.Kafka.Tests;

/// <summary>A silo with the storage provider <see cref="Provider"/> on the compacted topic of a <see cref="TestLog"/>; with <c>primary</c> it joins that silo's cluster.</summary>
internal sealed class TestSilo : IAsyncDisposable
{
    public const string Provider = "states";
    private readonly IHost _host;
    private readonly int _port;

    private TestSilo(IHost host, int port) => (_host, _port) = (host, port);

    public IGrainFactory Grains => _host.Services.GetRequiredService<IGrainFactory>();

    public IGrainStorage Storage => _host.Services.GetRequiredKeyedService<IGrainStorage>(Provider);

    public static async Task<TestSilo> StartAsync(TestLog log, Action<LogGrainStorageOptions>? configure = null, TestSilo? primary = null)
    {
        var port = TestPorts.Free();
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Critical);
        builder.Services.AddSingleton<IMessageLog>(log.Log); // An instance: silos that stop leave it open.
        builder.UseOrleans(silo =>
        {
            silo.UseLocalhostClustering(port, 0, new IPEndPoint(IPAddress.Loopback, primary?._port ?? port));
            silo.Configure<ClusterMembershipOptions>(options => options.DefunctSiloExpiration = TimeSpan.FromMinutes(1));
            silo.AddLogGrainStorage(Provider, options =>
            {
                options.Topic = log.Topic;
                configure?.Invoke(options);
            });
        });

        var host = builder.Build();
        await host.StartAsync();
        return new(host, port);
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        await ((IAsyncDisposable)_host).DisposeAsync();
    }
}
