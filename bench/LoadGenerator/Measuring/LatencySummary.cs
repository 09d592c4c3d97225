namespace OrleansMqtt.LoadGenerator.Measuring;

/// <summary>Percentiles in milliseconds.</summary>
internal sealed record LatencySummary(long Count, double P50, double P99, double P999, double Maximum)
{
    public static LatencySummary Of(LatencyHistogram histogram) => new(
        histogram.Count,
        Milliseconds(histogram.Percentile(0.5)),
        Milliseconds(histogram.Percentile(0.99)),
        Milliseconds(histogram.Percentile(0.999)),
        Milliseconds(histogram.Maximum));

    private static double Milliseconds(long nanoseconds) => Math.Round(nanoseconds / 1e6, 3);
}
