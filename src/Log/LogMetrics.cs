using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace OrleansMqtt.Log;

/// <summary>The meter <c>OrleansMqtt.Log</c>. Counted once per batch where the log works in batches; durations are those of the oldest record of a batch.</summary>
internal sealed class LogMetrics
{
    private static readonly Meter Meter = new("OrleansMqtt.Log");
    private static readonly InstrumentAdvice<double> DurationBuckets = new() { HistogramBucketBoundaries = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30] };
    private static readonly ConcurrentDictionary<(string Kind, string Topic), TopicCounters> Topics = new();
    private static readonly Counter<long> Failed = Meter.CreateCounter<long>("orleansmqtt.log.append.errors", "{record}", "Records that were not stored.");
    private static readonly Histogram<double> AppendDuration = Meter.CreateHistogram(
        "orleansmqtt.log.append.duration",
        "s",
        "Time from the append to the acknowledgement, sampled.",
        advice: DurationBuckets);

    private static readonly Histogram<double> TransactionDuration = Meter.CreateHistogram(
        "orleansmqtt.log.transaction.duration", "s", "Time of a transaction.", advice: DurationBuckets);

    private static readonly Counter<long> Errors = Meter.CreateCounter<long>("orleansmqtt.log.errors", "{error}", "Errors of the log or the way to it.");

    private static readonly StripedCounter ProduceRequests = StripedCounter.Create(
        Meter, "orleansmqtt.log.kafka.produce.requests", "{request}", "Requests that carried records to Kafka, by the wire client.");

    private static readonly StripedCounter FetchRequests = StripedCounter.Create(
        Meter, "orleansmqtt.log.kafka.fetch.requests", "{request}", "Requests for records of Kafka, by the wire client.");

    private readonly KeyValuePair<string, object?> _kind;
    private readonly ConcurrentDictionary<string, TopicCounters> _topics = new(StringComparer.Ordinal);

    static LogMetrics()
    {
        Observe("orleansmqtt.log.appended", "{record}", "Records stored.", static counters => counters.Appended);
        Observe("orleansmqtt.log.appended.size", "By", "Bytes of keys and values stored.", static counters => counters.AppendedBytes);
        Observe("orleansmqtt.log.read", "{record}", "Records read.", static counters => counters.Read);
    }

    public LogMetrics(string kind) => _kind = new("orleansmqtt.log.kind", kind);

    public static bool MeasuresAppends => AppendDuration.Enabled;

    public void CountAppended(string topic, long records, long bytes)
    {
        var counters = CountersOf(topic);
        counters.Appended.Add(records);
        counters.AppendedBytes.Add(bytes);
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
        if (records > 0)
        {
            CountersOf(topic).Read.Add(records);
        }
    }

    public void CountProduceRequest() => ProduceRequests.Add(1);

    public void CountFetchRequest() => FetchRequests.Add(1);

    public void CountError(string error) => Errors.Add(1, _kind, new KeyValuePair<string, object?>("error.type", error));

    private static void Observe(string name, string unit, string description, Func<TopicCounters, StripedCounter> select) => Meter.CreateObservableCounter(
        name,
        () => Topics.Select(topic => new Measurement<long>(
            select(topic.Value).Value, new KeyValuePair<string, object?>("orleansmqtt.log.kind", topic.Key.Kind), new("messaging.destination.name", topic.Key.Topic))),
        unit,
        description);

    private TopicCounters CountersOf(string topic) => _topics.TryGetValue(topic, out var counters)
        ? counters
        : _topics[topic] = Topics.GetOrAdd(((string)_kind.Value!, topic), static _ => new());

    private sealed class TopicCounters
    {
        public StripedCounter Appended { get; } = new();

        public StripedCounter AppendedBytes { get; } = new();

        public StripedCounter Read { get; } = new();
    }
}
