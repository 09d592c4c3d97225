using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Providers;
using Orleans.Providers.Streams.Common;
using Orleans.Runtime;
using Orleans.Streams;
using OrleansMqtt.TestKit;

namespace OrleansMqtt.Streams.Kafka.Tests;

/// <summary>A silo that consumes the topic of a <see cref="TestLog"/>; with <c>primary</c> it joins that silo's cluster.</summary>
internal sealed class TestSilo : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private readonly IHost _host;
    private readonly TestLog _log;
    private readonly int _port;

    private TestSilo(IHost host, TestLog log, int port) => (_host, _log, _port) = (host, log, port);

    public IGrainFactory Grains => _host.Services.GetRequiredService<IGrainFactory>();

    public IPartitionMapSource Map => _host.Services.GetRequiredService<IPartitionMapSource>();

    public SiloAddress Address => _host.Services.GetRequiredService<ILocalSiloDetails>().SiloAddress;

    public static async Task<TestSilo> StartAsync(TestLog log, Action<LogStreamOptions>? configure = null, TestSilo? primary = null, string? role = null, Action<ISiloBuilder>? configureSilo = null)
    {
        var port = TestPorts.Free();
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Error);
        builder.Services.AddSingleton(log.Log); // An instance: silos that stop leave it open.
        builder.UseOrleans(silo =>
        {
            var primaryPort = primary?._port ?? port;
            silo.UseLocalhostClustering(port, 0, new IPEndPoint(IPAddress.Loopback, primaryPort));
            silo.Configure<ClusterMembershipOptions>(options => options.DefunctSiloExpiration = TimeSpan.FromMinutes(1));

            // The default directory deactivates grains on healthy silos when another silo leaves.
#pragma warning disable ORLEANSEXP003
            silo.AddDistributedGrainDirectory();
#pragma warning restore ORLEANSEXP003
            if (role is not null)
            {
                silo.Configure<MemberOptions>(options => options.OwnsPartitions = role.Contains("silo", StringComparison.Ordinal));
            }

            configureSilo?.Invoke(silo);
            silo.AddLogStreams("log", options =>
            {
                options.Topics.Add(log.Topic);
                configure?.Invoke(options);
            });
        });

        var host = builder.Build();
        await host.StartAsync();
        return new(host, log, port);
    }

    public async Task<Consumer> ConsumerAsync(int partition)
    {
        var consumer = Consumer.Of($"{_log.Topic}/{partition}");
        await consumer.Subscribed.WaitAsync(Limit);
        return consumer;
    }

    public IConsumerGrain Grain(int partition) => Grains.GetGrain<IConsumerGrain>($"{_log.Topic}/{partition}");

    public async Task<int> CountQueuesAsync()
    {
        var provider = (IControllable)_host.Services.GetRequiredKeyedService<IStreamProvider>("log");
        return (int)(await provider.ExecuteCommand((int)PersistentStreamProviderCommand.GetNumberRunningAgents, null!))!;
    }

    public Task StopAsync() => _host.StopAsync();

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await ((IAsyncDisposable)_host).DisposeAsync();
    }
}
