using OrleansMqtt.Log.Embedded;
using OrleansMqtt.Log.Kafka;

namespace OrleansMqtt.Log;

/// <summary>Which log, and how. Configuration section <c>Log</c>.</summary>
public sealed class LogOptions
{
    /// <summary>The log; without it: Kafka when <see cref="KafkaLogOptions.BootstrapServers"/> is set, else the embedded log.</summary>
    public LogKind? Kind { get; set; }

    /// <summary>Settings of Kafka.</summary>
    public KafkaLogOptions Kafka { get; set; } = new();

    /// <summary>Settings of the embedded log.</summary>
    public EmbeddedLogOptions Embedded { get; set; } = new();

    /// <summary>The log that is used.</summary>
    public LogKind EffectiveKind => Kind ?? (string.IsNullOrWhiteSpace(Kafka.BootstrapServers) ? LogKind.Embedded : LogKind.Kafka);
}
