using BenchmarkDotNet.Attributes;
using Microsoft.Extensions.Options;
using OrleansMqtt.Grains;

namespace OrleansMqtt.MicroBenchmarks;

/// <summary>Finding the sessions of a message among 100,000 subscriptions with wildcards: the mean is that of one subscription that matches.</summary>
[MemoryDiagnoser]
public class SubscriptionTableBenchmarks
{
    private const int Subscriptions = 100_000;
    private const int MatchesOfOne = 1;
    private const int MatchesOfMany = 1_000;
    private readonly SubscriptionTable _own = new(new(Options.Create(new TopicsOptions())));
    private readonly SubscriptionTable _many = new(new(Options.Create(new TopicsOptions())));
    private readonly string[] _topics = [.. Enumerable.Range(0, Subscriptions).Select(i => $"site/{i}/device/temperature")];
    private readonly List<FilterSubscribers> _matches = [];
    private int _next;

    [GlobalSetup]
    public void SetUp()
    {
        _own.Start([]);
        _many.Start([]);
        SubscriptionStart start = new([0, 0, 0, 0]);
        for (var i = 0; i < Subscriptions; i++)
        {
            Session session = new($"client-{i}", i);
            _own.Set(session, new() { Filter = (i % 2) switch { 0 => $"site/{i}/+/temperature", _ => $"site/{i}/#" }, MaximumQoS = 1 }, start);
            _many.Set(session, new() { Filter = $"site/{i / MatchesOfMany}/+/temperature", MaximumQoS = 1 }, start);
        }
    }

    /// <summary>Each subscription has a filter of its own; another topic each time.</summary>
    [Benchmark(OperationsPerInvoke = MatchesOfOne)]
    public int OneOfAll() => Count(_own, _topics[_next++ % _topics.Length]);

    /// <summary>A thousand sessions with each filter.</summary>
    [Benchmark(OperationsPerInvoke = MatchesOfMany)]
    public int ThousandOfAll() => Count(_many, _topics[_next++ % (Subscriptions / MatchesOfMany)]);

    private int Count(SubscriptionTable table, string topic)
    {
        _matches.Clear();
        table.Match(topic, _matches);
        var count = 0;
        foreach (var subscribers in _matches)
        {
            foreach (var subscription in subscribers.Subscriptions)
            {
                count += subscription.Session.Slot == 0 ? 2 : 1;
            }
        }

        return count;
    }
}
