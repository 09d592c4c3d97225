using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace OrleansMqtt.LoadGenerator.Measuring;

/// <summary>The result of the scenario Retained.</summary>
internal sealed record RetainedResult
{
    public required DateTimeOffset StartedAt { get; init; }

    public required LoadSettings Settings { get; init; }

    /// <summary>0 when the topics were there already.</summary>
    public double PublishSeconds { get; init; }

    public required IReadOnlyList<Subscription> Subscriptions { get; init; }

    public required IReadOnlyList<ProcessResult> Processes { get; init; }

    public required int ExitCode { get; init; }

    public string ToJson() => JsonSerializer.Serialize(this, RetainedResultJson.Default.RetainedResult);

    public string ToText()
    {
        var text = new StringBuilder();
        text.AppendLine($"Retained: {Settings.Messages:N0} topics"
            + (PublishSeconds > 0 ? $", published in {PublishSeconds:F2} s ({Settings.Messages / PublishSeconds:N0} /s)" : ""));
        foreach (var found in Subscriptions)
        {
            text.AppendLine($"  {found.Filter,-12} {found.Received:N0} of {found.Expected:N0} in {found.LastSeconds:F3} s from the connect, the first after {found.FirstSeconds * 1000:F0} ms "
                + $"({found.Received / Math.Max(found.LastSeconds, 1e-9):N0} /s), duplicates {found.Duplicates:N0}");
            if (found.Error is not null)
            {
                text.AppendLine($"  error: {found.Error}");
            }
        }

        ResultText.Processes(text, Processes);
        return text.ToString();
    }

    /// <summary>What one subscription found. Times in seconds from the connect.</summary>
    public sealed record Subscription(string Filter, long Expected, long Received, long Duplicates, double FirstSeconds, double LastSeconds, string? Error)
    {
        public bool IsComplete => Error is null && Received == Expected && Duplicates == 0;
    }
}

/// <summary>Source-generated serialization of <see cref="RetainedResult"/>.</summary>
[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(RetainedResult))]
internal sealed partial class RetainedResultJson : JsonSerializerContext;
