using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Orleans.Runtime.Hosting;
using OrleansMqtt.Streams.Kafka;

namespace OrleansMqtt.Storage.Kafka;

/// <summary>Registers the grain storage.</summary>
public static class LogGrainStorageSiloBuilderExtensions
{
    /// <summary>
    /// Adds a grain storage provider over the registered <c>IMessageLog</c>. The log has to know the topic (<c>EnsureTopicsAsync</c>) before the silo reaches
    /// <see cref="LogGrainStorageOptions.InitStage"/>.
    /// </summary>
    public static ISiloBuilder AddLogGrainStorage(this ISiloBuilder builder, string name, Action<LogGrainStorageOptions> configure)
    {
        builder.AddPartitionMap();
        builder.Services.AddOptions<LogGrainStorageOptions>(name).Configure(configure).ValidateOnStart();
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<LogGrainStorageOptions>, LogGrainStorageOptionsValidator>());
        builder.Services.AddGrainStorage(name, LogGrainStorage.Create);
        return builder;
    }
}
