using System.Text.Json;
using System.Text.Json.Serialization;

namespace OrleansMqtt.LoadGenerator.Measuring;

/// <summary>The result of a run, as printed and as JSON. Rates, latencies and CPU are those of the measured interval; counts of messages are those of the whole run.</summary>
internal sealed record RunResult
{
    public required string Scenario { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public required LoadSettings Settings { get; init; }

    public double MeasuredSeconds { get; init; }

    public double PublishedPerSecond { get; init; }

    public double AcknowledgedPerSecond { get; init; }

    public double DeliveredPerSecond { get; init; }

    public long Published { get; init; }

    public long Acknowledged { get; init; }

    /// <summary>Acknowledged with a reason code of 0x80 or higher.</summary>
    public long Refused { get; init; }

    public long Unacknowledged { get; init; }

    /// <summary>Scheduled by the rate, but not sent before the end.</summary>
    public long Unsent { get; init; }

    public long Delivered { get; init; }

    /// <summary>Acknowledged (QoS 0: sent), but not received by a subscriber that should have.</summary>
    public long Lost { get; init; }

    public long Duplicates { get; init; }

    public long OutOfOrder { get; init; }

    /// <summary>QoS 2 PUBLISH packets sent again with a packet identifier that was not released.</summary>
    public long Redelivered { get; init; }

    /// <summary>Received messages that no publisher of this run sent.</summary>
    public long Foreign { get; init; }

    public int Connections { get; init; }

    public double ConnectSeconds { get; init; }

    public long ConnectionsLost { get; init; }

    public string? FirstError { get; init; }

    public required LatencySummary EndToEnd { get; init; }

    public required LatencySummary Acknowledgement { get; init; }

    /// <summary>See <see cref="MachineSample.StolenPercentSince"/>.</summary>
    public double StolenPercent { get; init; }

    public required IReadOnlyList<ProcessResult> Processes { get; init; }

    public required int ExitCode { get; init; }

    public string ToJson() => JsonSerializer.Serialize(this, RunResultJson.Default.RunResult);

    public static RunResult FromJson(string json) => JsonSerializer.Deserialize(json, RunResultJson.Default.RunResult)!;
}

/// <summary>Source-generated serialization of <see cref="RunResult"/>.</summary>
[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(RunResult))]
internal sealed partial class RunResultJson : JsonSerializerContext;
