using System.Diagnostics;
using System.Diagnostics.Metrics;
using OrleansMqtt.Log;

namespace OrleansMqtt.Edge.Diagnostics;

/// <summary>The measurements of an edge: the meter and the activity source <c>OrleansMqtt.Edge</c>.</summary>
internal sealed class EdgeMetrics
{
    /// <summary>The name of the meter and of the activity source.</summary>
    public const string Name = "OrleansMqtt.Edge";

    private readonly UpDownCounter<int> _open;
    private readonly Counter<long> _opened;
    private readonly Counter<long> _closed;
    private readonly StripedCounter[] _received;
    private readonly StripedCounter[] _sent;
    private readonly StripedCounter _bytesReceived;
    private readonly StripedCounter _bytesSent;
    private readonly Counter<long> _dropped;
    private readonly Counter<long> _stalls;
    private readonly Histogram<double> _publishLatency;

    public EdgeMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(Name);
        _open = meter.CreateUpDownCounter<int>("mqtt.connections", "{connection}", "Connections that are open.");
        _opened = meter.CreateCounter<long>("mqtt.connections.opened", "{connection}", "Connections that were opened.");
        _closed = meter.CreateCounter<long>("mqtt.connections.closed", "{connection}", "Connections that were closed, by reason.");
        _received = CreateByQoS(meter, "mqtt.publishes.received", "Messages received, by QoS.");
        _sent = CreateByQoS(meter, "mqtt.publishes.sent", "Messages sent, by QoS.");
        _bytesReceived = StripedCounter.Create(meter, "mqtt.bytes.received", "By", "Bytes received.");
        _bytesSent = StripedCounter.Create(meter, "mqtt.bytes.sent", "By", "Bytes sent.");
        _dropped = meter.CreateCounter<long>("mqtt.publishes.dropped", "{message}", "Messages not sent, by reason.");
        _stalls = meter.CreateCounter<long>("mqtt.publish.stalls", "{stall}", "Times a connection was not read because its publishes waited for the log.");
        _publishLatency = meter.CreateHistogram(
            "mqtt.publish.duration",
            "s",
            "From the receipt of a publish to its place on the log, of a sample.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30] });
    }

    public static ActivitySource Activities { get; } = new(Name);

    public void ConnectionOpened()
    {
        _open.Add(1);
        _opened.Add(1);
    }

    public void ConnectionClosed(string reason)
    {
        _open.Add(-1);
        _closed.Add(1, new KeyValuePair<string, object?>("reason", reason));
    }

    public void ConnectionRefused(string reason) => _closed.Add(1, new KeyValuePair<string, object?>("reason", reason));

    public void Received(long bytes, int qos0, int qos1)
    {
        _bytesReceived.Add(bytes);
        CountByQoS(_received, qos0, qos1);
    }

    public void Sent(long bytes, int qos0, int qos1)
    {
        _bytesSent.Add(bytes);
        CountByQoS(_sent, qos0, qos1);
    }

    public void Dropped(int count, string reason) => _dropped.Add(count, new KeyValuePair<string, object?>("reason", reason));

    public void PublishStalled() => _stalls.Add(1);

    public void PublishLatency(TimeSpan latency) => _publishLatency.Record(latency.TotalSeconds);

    private static StripedCounter[] CreateByQoS(Meter meter, string name, string description)
    {
        StripedCounter[] counters = [new(), new(), new()];
        meter.CreateObservableCounter(
            name,
            () => Enumerable.Range(0, counters.Length).Select(qos => new Measurement<long>(counters[qos].Value, new KeyValuePair<string, object?>("qos", qos))),
            "{message}",
            description);
        return counters;
    }

    private static void CountByQoS(StripedCounter[] counters, int qos0, int qos1)
    {
        if (qos0 > 0)
        {
            counters[0].Add(qos0);
        }

        if (qos1 > 0)
        {
            counters[1].Add(qos1);
        }
    }
}
