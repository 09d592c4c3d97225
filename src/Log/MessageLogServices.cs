using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OrleansMqtt.Log.Embedded;
using OrleansMqtt.Log.Kafka;

namespace OrleansMqtt.Log;

/// <summary>Adds the log to a host.</summary>
public static class MessageLogServices
{
    /// <summary>Adds <see cref="IMessageLog"/> with <see cref="LogOptions"/> from a section, usually <c>Log</c>; wrong settings stop the start with a line each.</summary>
    public static IServiceCollection AddMessageLog(this IServiceCollection services, IConfiguration section)
    {
        services.AddOptions<LogOptions>().Bind(section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<LogOptions>, LogOptionsValidation>();
        return services.AddSingleton<IMessageLog>(provider =>
        {
            var options = provider.GetRequiredService<IOptions<LogOptions>>().Value;
            return options.EffectiveKind == LogKind.Kafka
                ? new KafkaLog(options.Kafka, provider.GetRequiredService<ILogger<KafkaLog>>())
                : new EmbeddedLog(options.Embedded, provider.GetRequiredService<ILogger<EmbeddedLog>>());
        });
    }
}
