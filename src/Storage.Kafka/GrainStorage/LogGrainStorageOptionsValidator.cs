using Microsoft.Extensions.Options;
using OrleansMqtt.Log;

namespace OrleansMqtt.Storage.Kafka;

internal sealed class LogGrainStorageOptionsValidator : IValidateOptions<LogGrainStorageOptions>
{
    public ValidateOptionsResult Validate(string? name, LogGrainStorageOptions options) =>
        !TopicSpecification.IsValidName(options.Topic)
            ? ValidateOptionsResult.Fail($"Grain storage '{name}': Topic is '{options.Topic}': the name of a compacted topic is needed.")
            : options.Key is null ? ValidateOptionsResult.Fail($"Grain storage '{name}': Key is null: a function is needed.") : ValidateOptionsResult.Success;
}
