using System.Text;
using OrleansMqtt.LoadGenerator.Measuring;

namespace OrleansMqtt.Compare;

/// <summary>The comparison as Markdown.</summary>
internal static class ResultTable
{
    public static string Of(IReadOnlyList<Measurement> measurements)
    {
        var text = new StringBuilder();
        text.AppendLine($"{Environment.ProcessorCount} cores, {Environment.OSVersion.VersionString}, .NET {Environment.Version}, {DateTime.UtcNow:yyyy-MM-dd HH:mm} UTC. CPU in µs per delivered message.");
        text.AppendLine();
        text.AppendLine("| scenario | server | acknowledged/s | delivered/s | p50 ms | p99 ms | p99.9 ms | CPU server | CPU Kafka | CPU together | CPU generator | memory peak MiB | lost | out of order | stolen % |");
        text.AppendLine("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
        foreach (var (scenario, server, result, unavailable) in measurements.Where(m => m.Result is null || m.Result.Settings.Idle == 0))
        {
            text.AppendLine(result is null ? $"| {scenario} | {server} | n/a: {unavailable} | | | | | | | | | | | | |" : Row(scenario, server, result));
        }

        var idle = measurements.Where(m => m.Result is { Settings.Idle: > 0 }).ToList();
        if (idle.Count > 0)
        {
            text.AppendLine();
            text.AppendLine("| server | idle connections | opened per second | bytes/connection | memory MiB |");
            text.AppendLine("| --- | ---: | ---: | ---: | ---: |");
            foreach (var measurement in idle)
            {
                var result = measurement.Result!;
                var process = result.Processes[0];
                text.AppendLine($"| {measurement.Server} | {result.Connections:N0} | {result.Connections / result.ConnectSeconds:N0} | {process.BytesPerConnection:N0} | {process.ResidentEnd / 1048576.0:F0} |");
            }
        }

        return text.ToString();
    }

    private static string Row(string scenario, string server, RunResult result)
    {
        double? Cpu(string name) => result.Processes.Any(p => p.Name == name)
            ? result.Processes.Where(p => p.Name.StartsWith(name, StringComparison.Ordinal)).Sum(p => p.CpuMicrosecondsPerMessage)
            : null;
        double together = (Cpu("server") ?? 0) + (Cpu("kafka") ?? 0);
        string kafka = Cpu("kafka") is { } cpu ? $"{cpu:F1}" : "";
        double memory = result.Processes.Where(p => p.Name.StartsWith("server", StringComparison.Ordinal)).Sum(p => p.ResidentPeak) / 1048576.0;
        return $"| {scenario} | {server} | {result.AcknowledgedPerSecond:N0} | {result.DeliveredPerSecond:N0} | {result.EndToEnd.P50:F2} | {result.EndToEnd.P99:F2} | {result.EndToEnd.P999:F2} "
            + $"| {Cpu("server"):F1} | {kafka} | {together:F1} | {Cpu("generator"):F1} | {memory:F0} | {result.Lost:N0} | {result.OutOfOrder:N0} | {result.StolenPercent:F1} |";
    }
}
