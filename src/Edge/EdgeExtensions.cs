using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OrleansMqtt.Edge.Configuration;
using OrleansMqtt.Edge.Delivering;
using OrleansMqtt.Edge.Diagnostics;
using OrleansMqtt.Edge.Listeners;
using OrleansMqtt.Edge.Redirecting;
using OrleansMqtt.Edge.SystemTopics;
using OrleansMqtt.Edge.Transport;
using OrleansMqtt.Streams.Kafka;

namespace OrleansMqtt.Edge;

/// <summary>Adds the MQTT edge to a host.</summary>
public static class EdgeExtensions
{
    /// <summary>
    /// Adds the edge to a silo whose host runs Kestrel (a web application): its ports, its connections and its <see cref="IEdgeService"/>.
    /// </summary>
    /// <param name="builder">The silo.</param>
    /// <param name="section">The section with <see cref="EdgeOptions"/>, usually <see cref="EdgeOptions.SectionName"/>.</param>
    public static ISiloBuilder AddMqttEdge(this ISiloBuilder builder, IConfiguration section)
    {
        builder.Services.AddSingleton<IEdgeGrains, OrleansEdgeGrains>();
        builder.Services.AddSingleton<IEdgeDirectory, ClusterEdgeDirectory>();
        builder.Services.AddEdge(section);
        return builder.AddPartitionMap().AddGrainService<EdgeService>();
    }

    /// <summary>All of the edge except what needs a silo.</summary>
    internal static IServiceCollection AddEdge(this IServiceCollection services, IConfiguration section)
    {
        // Without this a listener with a value that cannot be read would be left out without a word.
        services.AddOptions<EdgeOptions>().Bind(section, static binder => binder.ErrorOnUnknownConfiguration = true).ValidateOnStart();
        services.PostConfigure<EdgeOptions>(static options =>
        {
            if (options.Listeners.Count == 0)
            {
                options.Listeners.Add(new ListenerOptions());
            }
        });
        services.AddSingleton<IValidateOptions<EdgeOptions>, EdgeOptionsValidation>();
        services.AddClientTime();
        services.AddMetrics();
        services.AddSingleton<EdgeMetrics>();
        services.AddSingleton<EdgeContext>();
        services.AddSingleton<MqttConnectionHandler>();
        services.AddSingleton<EdgeListeners>();
        services.AddSingleton<IConfigureOptions<KestrelServerOptions>>(static provider => provider.GetRequiredService<EdgeListeners>());
        services.AddSingleton<IConnectionListenerFactory>(static provider => new EpollTransport(
            provider.GetRequiredService<EdgeListeners>().UsesEpoll, EpollTransport.DefaultLoops, provider.GetRequiredService<ILogger<EpollTransport>>()));
        services.AddHostedService<EdgeLifetime>();
        services.AddOptions<HostOptions>().Configure<IOptions<EdgeOptions>>(static (host, edge) => host.ShutdownTimeout += edge.Value.ShutdownTimeout);
        services.AddHostedService<SystemTopicTimer>();
        return services;
    }
}
