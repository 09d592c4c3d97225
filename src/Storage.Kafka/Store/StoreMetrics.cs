using System.Diagnostics.Metrics;

namespace OrleansMqtt.Storage.Kafka;

/// <summary>The meter <c>OrleansMqtt.Storage.Kafka</c>.</summary>
internal static class StoreMetrics
{
    private static readonly Meter Meter = new("OrleansMqtt.Storage.Kafka");
    private static readonly Counter<long> Transactions = Meter.CreateCounter<long>("orleansmqtt.store.transactions", "{transaction}", "Transactions committed.");
    private static readonly Counter<long> Commits = Meter.CreateCounter<long>("orleansmqtt.store.commits", "{commit}", "Commits that shared them.");
    private static readonly Counter<long> Fencings = Meter.CreateCounter<long>("orleansmqtt.store.fencings", "{fencing}", "Stores that lost their partition to a later owner.");
    private static readonly Histogram<double> LoadDuration = Meter.CreateHistogram<double>("orleansmqtt.store.load.duration", "s", "Time to open a store, loading included.");

    public static void CountTransaction(string topic, int commits)
    {
        KeyValuePair<string, object?> tag = new("messaging.destination.name", topic);
        Transactions.Add(1, tag);
        Commits.Add(commits, tag);
    }

    public static void CountFencing(string topic) => Fencings.Add(1, new KeyValuePair<string, object?>("messaging.destination.name", topic));

    public static void RecordLoad(string topic, TimeSpan duration) => LoadDuration.Record(duration.TotalSeconds, new KeyValuePair<string, object?>("messaging.destination.name", topic));
}
