using BenchmarkDotNet.Attributes;
using OrleansMqtt.Grains;

namespace OrleansMqtt.MicroBenchmarks;

/// <summary>Finding the session partitions of a topic, known and unknown.</summary>
[MemoryDiagnoser]
public class RoutingBenchmarks
{
    private readonly SubscriptionIndex _index = new();
    private readonly string[] _topics = [.. Enumerable.Range(0, 50_000).Select(i => $"site/{i}/temperature")];
    private int _next;

    [GlobalSetup]
    public void SetUp()
    {
        for (var i = 0; i < 50_000; i++)
        {
            _index.Add($"site/{i}/+", i % 4);
        }
    }

    [Benchmark]
    public int KnownTopic() => Count(_topics[0]);

    [Benchmark]
    public int ManyTopics() => Count(_topics[_next++ % _topics.Length]);

    private int Count(string topic)
    {
        var count = 0;
        foreach (var target in _index.Match(topic))
        {
            count += target + 1;
        }

        return count;
    }
}
