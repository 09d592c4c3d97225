using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Hosting;
using OrleansMqtt.Storage.Kafka;
using OrleansMqtt.Streams.Kafka;

namespace OrleansMqtt.Grains;

/// <summary>Adds the grains to a silo.</summary>
public static class GrainsSiloBuilderExtensions
{
    private const string StreamProvider = "log";

    /// <summary>Adds routing, sessions and their options from the sections <c>Topics</c> and <c>Sessions</c>. Needs an <c>IMessageLog</c> whose topics are ensured.</summary>
    /// <param name="silo">The silo.</param>
    /// <param name="configuration">The settings.</param>
    /// <param name="ownsPartitions">False: only the grains that live with their callers; the others are found on the silos that own partitions.</param>
    public static ISiloBuilder AddMqttGrains(this ISiloBuilder silo, IConfiguration configuration, bool ownsPartitions = true)
    {
        var services = silo.Services;
        // Without this a route with a value that cannot be read would be left out without a word.
        services.AddOptions<TopicsOptions>().Bind(configuration.GetSection("Topics"), static binder => binder.ErrorOnUnknownConfiguration = true).ValidateOnStart();
        services.AddOptions<SessionsOptions>().Bind(configuration.GetSection("Sessions")).ValidateOnStart();
        services.AddSingleton<IValidateOptions<TopicsOptions>, TopicsOptionsValidation>();
        services.AddSingleton<IValidateOptions<SessionsOptions>, SessionsOptionsValidation>();
        services.AddSingleton<TopicRoutes>();
        services.AddSingleton<RecordCodec>();
        services.AddSingleton<SubscriptionIndexes>();
        services.AddSingleton<SessionPartitions>();
        services.AddSingleton<RetainedPartitions>();
        services.AddSingleton<IRetainedTopic>(provider => provider.GetRequiredService<RetainedPartitions>());
        services.AddSingleton<IGrainStatistics, GrainStatistics>();
        services.AddSingleton<EdgeServices>();
        services.AddSingleton<IClientOwners, ClientOwners>();
        services.AddSingleton<MessageEncoder>();
        services.AddSingleton<TopicIdentities>();
        services.AddSingleton<StoredMessages>();
        services.AddClientTime();
        services.AddOptions<LogGrainStorageOptions>(SessionStorage.Name).Configure<IOptions<TopicsOptions>>((options, topics) => options.Topic = topics.Value.Sessions.Name);
        services.AddOptions<LogStreamOptions>(StreamProvider).Configure<TopicRoutes>((options, routes) => options.Topics = [.. routes.Topics]);
        silo.AddPartitionMap()
            .AddGrainPartition<ClientSessionGrain>(provider => grain => provider.GetRequiredService<SessionPartitions>().Of(grain.Key.ToString()!), PartitionGrainKind.Follower)
            .AddGrainPartition<SessionPartitionGrain>(provider => grain => provider.GetRequiredService<SessionPartitions>().Of((int)grain.GetIntegerKey()))
            .AddGrainPartition<RetainedPartitionGrain>(provider => grain => provider.GetRequiredService<RetainedPartitions>().All[(int)grain.GetIntegerKey()]);
        if (!ownsPartitions)
        {
            // What is not in its manifest is never placed here.
            return silo.Configure<GrainTypeOptions>(static types => types.Classes.RemoveWhere(static type =>
                type.Assembly == typeof(GrainsSiloBuilderExtensions).Assembly && typeof(IGrain).IsAssignableFrom(type) && type != typeof(TopicGrain)));
        }

        services.AddHostedService<SessionPartitionStarter>();
        services.AddHostedService(static provider => provider.GetRequiredService<TopicIdentities>());
        services.AddSingleton<Rehearsal>();
        services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>>(static provider => provider.GetRequiredService<Rehearsal>());
        services.AddSingleton<IPartitionPreparation, SiloRehearsal>();
        return silo
            .AddLogGrainStorage(SessionStorage.Name, options =>
            {
                // The key of a session is that of its grain: the client identifier.
                options.Key = static (_, grain) => grain.Key.ToString()!;
                options.Partition = static (grains, partition) => grains.GetGrain<ISessionOwnerGrain>(partition);
                options.GrainStorageSerializer = new SessionRecordSerializer();
            })
            .AddLogStreams(StreamProvider, options => options.Namespace = RouterGrain.StreamNamespace);
    }
}
