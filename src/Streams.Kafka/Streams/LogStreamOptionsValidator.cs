using Microsoft.Extensions.Options;

namespace OrleansMqtt.Streams.Kafka;

internal sealed class LogStreamOptionsValidator : IValidateOptions<LogStreamOptions>
{
    public ValidateOptionsResult Validate(string? name, LogStreamOptions options) => options switch
    {
        { Namespace: null or "" } => Fail(name, nameof(options.Namespace), options.Namespace, "a name"),
        { Topics.Count: 0 } => Fail(name, nameof(options.Topics), "", "at least one topic"),
        { StartAt: not (LogStreamStart.End or LogStreamStart.Beginning) } => Fail(name, nameof(options.StartAt), options.StartAt, "End or Beginning"),
        _ when options.Topics.Any(string.IsNullOrEmpty) => Fail(name, nameof(options.Topics), string.Join(",", options.Topics), "no empty names"),
        _ when options.Topics.Distinct().Count() != options.Topics.Count => Fail(name, nameof(options.Topics), string.Join(",", options.Topics), "each topic once"),
        _ when options.MaximumWait < TimeSpan.FromMilliseconds(10) || options.MaximumWait > TimeSpan.FromMinutes(1)
            => Fail(name, nameof(options.MaximumWait), options.MaximumWait, "10 ms to 1 minute"),
        { MaxBatchRecords: < 1 } => Fail(name, nameof(options.MaxBatchRecords), options.MaxBatchRecords, "1 or more"),
        { CacheRecords: < 1 } => Fail(name, nameof(options.CacheRecords), options.CacheRecords, "1 or more"),
        { CacheBatches: < 1 } => Fail(name, nameof(options.CacheBatches), options.CacheBatches, "1 or more"),
        { CacheBytes: < 1 } => Fail(name, nameof(options.CacheBytes), options.CacheBytes, "1 or more"),
        _ => ValidateOptionsResult.Success,
    };

    private static ValidateOptionsResult Fail(string? name, string setting, object? value, string allowed)
        => ValidateOptionsResult.Fail($"{nameof(LogStreamOptions)}.{setting} of the stream provider '{name}' is '{value}'; allowed: {allowed}.");
}
