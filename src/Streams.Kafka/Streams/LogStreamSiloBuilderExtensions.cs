using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace OrleansMqtt.Streams.Kafka;

/// <summary>Registers the stream provider.</summary>
public static class LogStreamSiloBuilderExtensions
{
    /// <summary>
    /// Adds a stream provider over the registered <c>IMessageLog</c>: a stream <c>namespace/topic/partition</c> for each partition, events of type <c>LogBatch</c>, implicit
    /// subscriptions, pulled by the silo that owns the partition (<see cref="PartitionMapSiloBuilderExtensions.AddPartitionMap"/>, which this adds).
    /// The log has to know the topics (<c>EnsureTopicsAsync</c>) before the silo reaches <see cref="ServiceLifecycleStage.ApplicationServices"/>.
    /// </summary>
    public static ISiloBuilder AddLogStreams(this ISiloBuilder builder, string name, Action<LogStreamOptions> configure)
    {
        builder.AddPartitionMap();
        builder.Services.TryAddSingleton<LogStreamMetrics>();
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<LogStreamOptions>, LogStreamOptionsValidator>());
        builder.Services.AddOptions<LogStreamOptions>(name).Configure(configure).ValidateOnStart();
        return builder.AddPersistentStreams(name, LogQueueAdapterFactory.Create, streams =>
        {
            streams.ConfigureStreamPubSub(StreamPubSubType.ImplicitOnly);
            streams.ConfigurePartitionBalancing((services, _) => ActivatorUtilities.CreateInstance<PartitionQueueBalancer>(services));
            streams.ConfigureBackoffProvider(IMessageDeliveryBackoff);
            streams.ConfigurePullingAgent(agent => agent.Configure(options =>
            {
                // The receiver waits for records itself and a greeting ends each wait: the timer only restarts a loop that had to stop.
                options.GetQueueMsgsTimerPeriod = TimeSpan.FromMilliseconds(10);
                options.BatchContainerBatchSize = 1;

                // A batch is retried until the consumer takes it, and a stream of a partition never goes away.
                options.MaxEventDeliveryTime = Timeout.InfiniteTimeSpan;
                options.StreamInactivityPeriod = TimeSpan.FromDays(36_500);
            }));
        });

        static Orleans.Runtime.Providers.IMessageDeliveryBackoffProvider IMessageDeliveryBackoff(IServiceProvider services, string name) => new DeliveryBackoff();
    }
}
