using Orleans.Runtime;

namespace OrleansMqtt.Grains;

/// <inheritdoc/>
internal sealed class ClusterStatisticsGrain(TimeProvider time) : Grain, IClusterStatisticsGrain
{
    private const int SilentIntervals = 3;

    private readonly Dictionary<SiloAddress, (ServerStatistics Statistics, DateTimeOffset GoneAt)> _edges = [];
    private ServerStatistics _gone = new() { StartedAt = long.MaxValue };
    private long _maximumConnected;

    public ValueTask<ServerStatistics> Report(SiloAddress edge, ServerStatistics own, TimeSpan interval)
    {
        var now = time.GetUtcNow();
        _edges[edge] = (own, now + (interval * SilentIntervals));
        foreach (var (silent, (last, _)) in _edges.Where(each => each.Value.GoneAt < now).ToArray())
        {
            // What it has counted stays, so that counters do not fall.
            _gone = _gone.PlusCounters(last);
            _edges.Remove(silent);
        }

        var total = _edges.Values.Aggregate(_gone, static (sum, each) => sum.Plus(each.Statistics));
        _maximumConnected = Math.Max(_maximumConnected, Math.Max(total.Connected, own.MaximumConnected));
        return new(total with { MaximumConnected = _maximumConnected });
    }
}
