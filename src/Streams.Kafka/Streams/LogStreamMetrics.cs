using System.Diagnostics.Metrics;

namespace OrleansMqtt.Streams.Kafka;

/// <summary>The meter <c>OrleansMqtt.Streams.Kafka</c>.</summary>
internal sealed class LogStreamMetrics
{
    public const string MeterName = "OrleansMqtt.Streams.Kafka";

    private readonly Counter<long> _records;
    private readonly Counter<long> _lostOffsets;
    private readonly Counter<long> _deliveryFailures;

    public LogStreamMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);
        _records = meter.CreateCounter<long>("orleansmqtt.streams.records.read", "{record}", "Records read from the log.");
        _lostOffsets = meter.CreateCounter<long>(
            "orleansmqtt.streams.offsets.skipped", "{offset}", "Offsets skipped because the log does not hold them any more (retention, truncation).");
        _deliveryFailures = meter.CreateCounter<long>("orleansmqtt.streams.delivery.failures", "{failure}", "Batches that a consumer did not take; they are delivered again.");
    }

    public void AddRecords(string topic, int count) => _records.Add(count, new KeyValuePair<string, object?>("messaging.destination.name", topic));

    public void AddSkippedOffsets(string topic, long count) => _lostOffsets.Add(count, new KeyValuePair<string, object?>("messaging.destination.name", topic));

    public void AddDeliveryFailure(string provider) => _deliveryFailures.Add(1, new KeyValuePair<string, object?>("orleans.stream.provider", provider));
}
