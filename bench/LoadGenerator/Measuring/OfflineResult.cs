using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace OrleansMqtt.LoadGenerator.Measuring;

/// <summary>The result of the scenario Offline. CPU and memory are those of the time from the first reconnect to the last message.</summary>
internal sealed record OfflineResult
{
    public required DateTimeOffset StartedAt { get; init; }

    public required LoadSettings Settings { get; init; }

    /// <summary>Until all had subscribed, and been disconnected but for the last ones.</summary>
    public double SubscribeSeconds { get; init; }

    public double PublishSeconds { get; init; }

    public long Delivered { get; init; }

    /// <summary>From the first reconnect to the last message.</summary>
    public double DeliverySeconds { get; init; }

    public long Lost { get; init; }

    public long Duplicates { get; init; }

    public long OutOfOrder { get; init; }

    public string? FirstError { get; init; }

    public required IReadOnlyList<ProcessResult> Processes { get; init; }

    public required int ExitCode { get; init; }

    public string ToJson() => JsonSerializer.Serialize(this, OfflineResultJson.Default.OfflineResult);

    public string ToText()
    {
        var text = new StringBuilder();
        if (Settings.Messages == 0)
        {
            text.AppendLine($"Offline: {Settings.Subscribers:N0} subscribers with {Settings.Filters} filters each are away; they were there in {SubscribeSeconds:F2} s");
            ResultText.Processes(text, Processes);
            return text.ToString();
        }

        text.AppendLine($"Offline: {Settings.Subscribers:N0} subscribers were away, {Settings.Messages:N0} messages were published to them in {PublishSeconds:F2} s "
            + $"({Settings.Messages / PublishSeconds:N0} /s)");
        text.AppendLine($"  delivered    {Delivered:N0} in {DeliverySeconds:F2} s from the first reconnect ({Delivered / DeliverySeconds:N0} /s)");
        text.AppendLine($"  lost {Lost:N0}, duplicates {Duplicates:N0}, out of order {OutOfOrder:N0}");
        if (FirstError is not null)
        {
            text.AppendLine($"  first error: {FirstError}");
        }

        ResultText.Processes(text, Processes);
        return text.ToString();
    }
}

/// <summary>Source-generated serialization of <see cref="OfflineResult"/>.</summary>
[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(OfflineResult))]
internal sealed partial class OfflineResultJson : JsonSerializerContext;
