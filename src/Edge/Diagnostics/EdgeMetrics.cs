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
    private readonly StripedCounter _packetsReceived;
    private readonly StripedCounter _packetsSent;
    private readonly StripedCounter _payloadReceived;
    private readonly StripedCounter _payloadSent;
    private readonly StripedCounter _clients;
    private readonly StripedCounter _droppedInAll = new();
    private readonly Counter<long> _dropped;
    private long _mostClients;
    private readonly Counter<long> _stalls;
    private readonly Histogram<double> _publishLatency;
    private readonly Meter _meter;

    public EdgeMetrics(IMeterFactory meters)
    {
        var meter = _meter = meters.Create(Name);
        _open = meter.CreateUpDownCounter<int>("mqtt.connections", "{connection}", "Connections that are open.");
        _opened = meter.CreateCounter<long>("mqtt.connections.opened", "{connection}", "Connections that were opened.");
        _closed = meter.CreateCounter<long>("mqtt.connections.closed", "{connection}", "Connections that were closed, by reason.");
        _received = CreateByQoS(meter, "mqtt.publishes.received", "Messages received, by QoS.");
        _sent = CreateByQoS(meter, "mqtt.publishes.sent", "Messages sent, by QoS.");
        _bytesReceived = StripedCounter.Create(meter, "mqtt.bytes.received", "By", "Bytes received.");
        _bytesSent = StripedCounter.Create(meter, "mqtt.bytes.sent", "By", "Bytes sent.");
        _packetsReceived = StripedCounter.Create(meter, "mqtt.packets.received", "{packet}", "Packets received.");
        _packetsSent = StripedCounter.Create(meter, "mqtt.packets.sent", "{packet}", "Packets sent.");
        _payloadReceived = StripedCounter.Create(meter, "mqtt.payload.received", "By", "Bytes of the payloads of messages received.");
        _payloadSent = StripedCounter.Create(meter, "mqtt.payload.sent", "By", "Bytes of the payloads of messages sent.");
        _clients = StripedCounter.CreateUpDown(meter, "mqtt.clients", "{client}", "Clients that are connected.");
        _dropped = meter.CreateCounter<long>("mqtt.publishes.dropped", "{message}", "Messages not sent, by reason.");
        _stalls = meter.CreateCounter<long>("mqtt.publish.stalls", "{stall}", "Times a connection was not read because its publishes waited for the log.");
        _publishLatency = meter.CreateHistogram(
            "mqtt.publish.duration",
            "s",
            "From the receipt of a publish to its place on the log, of a sample.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30] });
    }

    public static ActivitySource Activities { get; } = new(Name);

    /// <summary>Shows the bytes of publishes that may be on their way to the log at the moment.</summary>
    public void ObservePublishLimit(Func<long> limit) => _meter.CreateObservableGauge("mqtt.publish.limit", limit, "By", "Bytes of publishes that may be on their way to the log.");

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

    /// <summary>A client was accepted.</summary>
    public void ClientConnected()
    {
        _clients.Add(1);
        var clients = _clients.Value;
        for (var most = Volatile.Read(ref _mostClients); clients > most;)
        {
            var found = Interlocked.CompareExchange(ref _mostClients, clients, most);
            most = found == most ? clients : found;
        }
    }

    /// <summary>The connection of an accepted client has ended.</summary>
    public void ClientGone() => _clients.Add(-1);

    public void Received(long bytes, int packets, long payload, in QoSCounts counts)
    {
        _packetsReceived.Add(packets);
        if (payload > 0)
        {
            _payloadReceived.Add(payload);
        }

        _bytesReceived.Add(bytes);
        CountByQoS(_received, counts);
    }

    public void Sent(long bytes, int packets, long payload, in QoSCounts counts)
    {
        _packetsSent.Add(packets);
        if (payload > 0)
        {
            _payloadSent.Add(payload);
        }

        _bytesSent.Add(bytes);
        CountByQoS(_sent, counts);
    }

    public void Dropped(int count, string reason)
    {
        _droppedInAll.Add(count);
        _dropped.Add(count, new KeyValuePair<string, object?>("reason", reason));
    }

    /// <summary>With the numbers of this edge added.</summary>
    public ServerStatistics AddTo(ServerStatistics statistics) => statistics.Plus(new()
    {
        StartedAt = statistics.StartedAt,
        Connected = _clients.Value,
        PacketsReceived = _packetsReceived.Value,
        PacketsSent = _packetsSent.Value,
        BytesReceived = _bytesReceived.Value,
        BytesSent = _bytesSent.Value,
        PublishesReceived = _received.Sum(static counter => counter.Value),
        PublishesSent = _sent.Sum(static counter => counter.Value),
        PublishesDropped = _droppedInAll.Value,
        PayloadReceived = _payloadReceived.Value,
        PayloadSent = _payloadSent.Value,
    }) with
    { MaximumConnected = Volatile.Read(ref _mostClients) };

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

    private static void CountByQoS(StripedCounter[] counters, in QoSCounts counts)
    {
        for (var qos = 0; qos < counters.Length; qos++)
        {
            if (counts[qos] > 0)
            {
                counters[qos].Add(counts[qos]);
            }
        }
    }
}
