using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Orleans.Metadata;
using OrleansMqtt.Log;

namespace OrleansMqtt.Streams.Kafka;

/// <summary>Registers what decides where partitions, their streams and their grains live.</summary>
public static class PartitionMapSiloBuilderExtensions
{
    /// <summary>Adds <see cref="IPartitionMapSource"/> over the cluster's membership, and the placement of <see cref="PartitionPlacementAttribute"/>.</summary>
    public static ISiloBuilder AddPartitionMap(this ISiloBuilder builder)
    {
        var services = builder.Services;
        if (services.Any(service => service.ServiceType == typeof(ClusterPartitionMapSource)))
        {
            return builder;
        }

        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<ClusterPartitionMapSource>();
        services.AddSingleton<IPartitionMapSource>(provider => provider.GetRequiredService<ClusterPartitionMapSource>());
        services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>>(provider => provider.GetRequiredService<ClusterPartitionMapSource>());
        return builder.AddPlacementDirector<PartitionPlacement, PartitionPlacementDirector>();
    }

    /// <summary>Tells which partition a grain of type <typeparamref name="TGrain"/> belongs to, for <see cref="PartitionPlacementAttribute"/>.</summary>
    public static ISiloBuilder AddGrainPartition<TGrain>(this ISiloBuilder builder, Func<IServiceProvider, Func<GrainId, TopicPartitionId>> partition)
        where TGrain : IGrain
    {
        builder.Services.AddSingleton<IGrainPartitionResolver>(services => new GrainTypePartitionResolver(
            services.GetRequiredService<GrainTypeResolver>().GetGrainType(typeof(TGrain)), partition(services)));
        return builder;
    }
}
