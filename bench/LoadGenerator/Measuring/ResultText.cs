using System.Text;

namespace OrleansMqtt.LoadGenerator.Measuring;

/// <summary>A result for people.</summary>
internal static class ResultText
{
    public static string Of(RunResult result)
    {
        var text = new StringBuilder();
        Line(text, $"{result.Scenario}: {result.Connections} connections (opened in {result.ConnectSeconds:F2} s), measured {result.MeasuredSeconds:F2} s");
        if (result.Published > 0)
        {
            Line(text, $"  published    {result.PublishedPerSecond,12:N0} /s   acknowledged {result.AcknowledgedPerSecond:N0} /s   delivered {result.DeliveredPerSecond:N0} /s");
            Latency(text, "end to end", result.EndToEnd);
            Latency(text, "publish ack", result.Acknowledgement);
            Line(text, $"  whole run    published {result.Published:N0}, acknowledged {result.Acknowledged:N0}, refused {result.Refused:N0}, "
                + $"unacknowledged {result.Unacknowledged:N0}, unsent {result.Unsent:N0}, delivered {result.Delivered:N0}");
            Line(text, $"  lost {result.Lost:N0}, duplicates {result.Duplicates:N0}, out of order {result.OutOfOrder:N0}, "
                + $"redelivered {result.Redelivered:N0}, foreign {result.Foreign:N0}");
        }

        if (result.ConnectionsLost > 0)
        {
            Line(text, $"  connections lost {result.ConnectionsLost:N0}");
        }

        if (result.FirstError is not null)
        {
            Line(text, $"  first error: {result.FirstError}");
        }

        Processes(text, result.Processes);
        if (result.StolenPercent > 0)
        {
            Line(text, $"  machine      {result.StolenPercent:F1} % of its processor time was stolen by others");
        }

        return text.ToString();
    }

    public static void Processes(StringBuilder text, IEnumerable<ProcessResult> processes)
    {
        foreach (var process in processes)
        {
            string perMessage = process.CpuMicrosecondsPerMessage is { } cpu ? $"   {cpu,7:F2} µs/message" : "";
            string perConnection = process.BytesPerConnection is { } bytes ? $"   {bytes:N0} bytes/connection" : "";
            Line(text, $"  {process.Name,-12} CPU {process.CpuSeconds,7:F2} s{perMessage}   memory {process.ResidentEnd / 1048576.0:F1} MiB "
                + $"(start {process.ResidentStart / 1048576.0:F1}, peak {process.ResidentPeak / 1048576.0:F1}){perConnection}");
        }
    }

    private static void Latency(StringBuilder text, string name, LatencySummary latency)
    {
        if (latency.Count > 0)
        {
            Line(text, $"  {name,-12} p50 {latency.P50:F3} ms   p99 {latency.P99:F3} ms   p99.9 {latency.P999:F3} ms   max {latency.Maximum:F3} ms");
        }
    }

    private static void Line(StringBuilder text, string line) => text.AppendLine(line);
}
