using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace OrleansMqtt.Log;

/// <summary>The meter <c>OrleansMqtt.Log</c>. Counted once per batch where the log works in batches; durations are those of the oldest record of a batch.</summary>
internal sealed class LogMetrics
{
    private static readonly Meter Meter = new("OrleansMqtt.Log");
    private static readonly Counter<long> Appended = Meter.CreateCounter<long>("orleansmqtt.log.appended", "{record}", "Records stored.");
    private static readonly Counter<long> AppendedBytes = Meter.CreateCounter<long>("orleansmqtt.log.appended.size", "By", "Bytes of keys and values stored.");
    private static readonly Counter<long> Failed = Meter.CreateCounter<long>("orleansmqtt.log.append.errors", "{record}", "Records that were not stored.");
    private static readonly Histogram<double> AppendDuration = Meter.CreateHistogram(
        "orleansmqtt.log.append.duration",
        "s",
        "Time from the append to the acknowledgement, sampled.",
        advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30] });

    private static readonly Histogram<double> TransactionDuration = Meter.CreateHistogram<double>("orleansmqtt.log.transaction.duration", "s", "Time of a transaction.");
    private static readonly Counter<long> Read = Meter.CreateCounter<long>("orleansmqtt.log.read", "{record}", "Records read.");
    private static readonly Counter<long> Errors = Meter.CreateCounter<long>("orleansmqtt.log.errors", "{error}", "Errors of the log or the way to it.");

    private readonly KeyValuePair<string, object?> _kind;

    public LogMetrics(string kind) => _kind = new("orleansmqtt.log.kind", kind);

    public static bool MeasuresAppends => AppendDuration.Enabled;

    public void CountAppended(string topic, long records, long bytes)
    {
        if (Appended.Enabled || AppendedBytes.Enabled)
        {
            var topicTag = new KeyValuePair<string, object?>("messaging.destination.name", topic);
            Appended.Add(records, _kind, topicTag);
            AppendedBytes.Add(bytes, _kind, topicTag);
        }
    }

    public void CountFailed(string topic) => Failed.Add(1, _kind, new("messaging.destination.name", topic));

    /// <param name="startedAt">A <see cref="Stopwatch"/> timestamp; 0 is not recorded.</param>
    public void RecordAppend(long startedAt)
    {
        if (startedAt != 0)
        {
            AppendDuration.Record(Stopwatch.GetElapsedTime(startedAt).TotalSeconds, _kind);
        }
    }

    public void RecordTransaction(long startedAt) => TransactionDuration.Record(Stopwatch.GetElapsedTime(startedAt).TotalSeconds, _kind);

    public void CountRead(string topic, int records)
    {
        if (Read.Enabled && records > 0)
        {
            Read.Add(records, _kind, new KeyValuePair<string, object?>("messaging.destination.name", topic));
        }
    }

    public void CountError(string error) => Errors.Add(1, _kind, new KeyValuePair<string, object?>("error.type", error));
}
