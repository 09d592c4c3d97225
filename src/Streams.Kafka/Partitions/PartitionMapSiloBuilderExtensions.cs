using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Orleans.Metadata;
using OrleansMqtt.Log;

namespace OrleansMqtt.Streams.Kafka;

/// <summary>Registers what decides where partitions, their streams and their grains live.</summary>
public static class PartitionMapSiloBuilderExtensions
{
    /// <summary>Adds <see cref="IMembers"/> and, over them, <see cref="IPartitionMapSource"/>, and the placement of <see cref="PartitionPlacementAttribute"/>.</summary>
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
        services.AddSingleton<ClusterMembers>();
        services.AddSingleton<IMembers>(provider => provider.GetRequiredService<ClusterMembers>());
        services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>>(provider => provider.GetRequiredService<ClusterMembers>());
        services.AddMetrics();
        services.AddSingleton<GrainPartitions>();
        services.AddSingleton<PartitionGrains>();
        services.AddSingleton<IPartitionGrains>(provider => provider.GetRequiredService<PartitionGrains>());
        services.AddSingleton<IActivationWorkingSetObserver>(provider => provider.GetRequiredService<PartitionGrains>());
        services.AddSingleton<PartitionMover>();
        services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>>(provider => provider.GetRequiredService<PartitionMover>());
        services.AddHostedService<PartitionHandOver>();
        builder.AddGrainService<MemberService>();
        return builder.AddPlacementDirector<PartitionPlacement, PartitionPlacementDirector>();
    }

    /// <summary>Tells which partition a grain of type <typeparamref name="TGrain"/> belongs to, for <see cref="PartitionPlacementAttribute"/>.</summary>
    public static ISiloBuilder AddGrainPartition<TGrain>(this ISiloBuilder builder, Func<IServiceProvider, Func<GrainId, TopicPartitionId>> partition, PartitionGrainKind kind = PartitionGrainKind.Owner)
        where TGrain : IGrain
    {
        builder.Services.AddSingleton<IGrainPartitionResolver>(services => new GrainTypePartitionResolver(
            services.GetRequiredService<GrainTypeResolver>().GetGrainType(typeof(TGrain)), partition(services), kind));
        return builder;
    }
}
