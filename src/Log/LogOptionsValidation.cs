using Microsoft.Extensions.Options;
using OrleansMqtt.Log.Kafka;
using OrleansMqtt.Log.Kafka.Wire;

namespace OrleansMqtt.Log;

internal sealed class LogOptionsValidation : IValidateOptions<LogOptions>
{
    /// <summary>A request holds it whole, and brokers take 100 MiB of one by default.</summary>
    private const int GreatestRecord = 90_000_000;

    public ValidateOptionsResult Validate(string? name, LogOptions options)
    {
        List<string> failures = [];
        var (kafka, embedded) = (options.Kafka, options.Embedded);
        if (options.EffectiveKind == LogKind.Kafka)
        {
            if (string.IsNullOrWhiteSpace(kafka.BootstrapServers))
            {
                failures.Add("Log:Kafka:BootstrapServers is empty: it must be a list of host:port, separated by commas.");
            }

            Check(kafka.ReplicationFactor is -1 or (>= 1 and <= 100), $"Log:Kafka:ReplicationFactor is {kafka.ReplicationFactor}: it must be -1 (the broker's default) or 1 to 100.");
            Check(kafka.MaximumRecordBytes is >= 65_536 and <= GreatestRecord, $"Log:Kafka:MaximumRecordBytes is {kafka.MaximumRecordBytes}: it must be 65536 to {GreatestRecord}.");
            Check(kafka.LingerMilliseconds is >= 0 and <= 1000, $"Log:Kafka:LingerMilliseconds is {kafka.LingerMilliseconds}: it must be 0 to 1000.");
            Check(Enum.IsDefined(kafka.Transport), $"Log:Kafka:Transport is {kafka.Transport}: it must be Auto, Wire or Confluent.");
            if (kafka.Transport == KafkaTransport.Wire && WireSettings.FindUnknown(kafka) is { } unknown)
            {
                failures.Add($"Log:Kafka:Transport is Wire, which does not know Log:Kafka:{unknown} or its value: it must be Auto or Confluent with it.");
            }

            failures.AddRange(KafkaClientSettings.Validate(kafka));
        }
        else
        {
            Check(!string.IsNullOrWhiteSpace(embedded.Directory), "Log:Embedded:Directory is empty: it must be a directory.");
            Check(embedded.RetentionHours >= 0, $"Log:Embedded:RetentionHours is {embedded.RetentionHours}: it must be 0 (for good) or more.");
            Check(embedded.RetentionBytes >= 0, $"Log:Embedded:RetentionBytes is {embedded.RetentionBytes}: it must be 0 (no limit) or more.");
            Check(embedded.RetentionCheckSeconds > 0, $"Log:Embedded:RetentionCheckSeconds is {embedded.RetentionCheckSeconds}: it must be more than 0.");
            Check(embedded.TombstoneHours >= 0, $"Log:Embedded:TombstoneHours is {embedded.TombstoneHours}: it must be 0 or more.");
            Check(embedded.RecentBytes >= 0, $"Log:Embedded:RecentBytes is {embedded.RecentBytes}: it must be 0 or more.");
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);

        void Check(bool isValid, string failure)
        {
            if (!isValid)
            {
                failures.Add(failure);
            }
        }
    }
}
