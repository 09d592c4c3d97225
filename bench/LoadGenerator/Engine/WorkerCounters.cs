using OrleansMqtt.LoadGenerator.Measuring;

namespace OrleansMqtt.LoadGenerator.Engine;

/// <summary>What a worker has counted: written by its thread, read by the coordinator.</summary>
internal sealed class WorkerCounters
{
    public long Ready;
    public long Published;
    public long Acknowledged;
    public long Refused;
    public long Delivered;
    public long Redelivered;
    public long Foreign;
    public long ConnectionsLost;
    public long ConnectionsBack;

    public LatencyHistogram EndToEnd { get; } = new();

    public LatencyHistogram Acknowledgement { get; } = new();

    /// <summary>All end-to-end latencies, also of the warm-up: for the progress line.</summary>
    public LatencyHistogram Progress { get; } = new();
}
