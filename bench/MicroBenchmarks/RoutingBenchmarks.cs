using BenchmarkDotNet.Attributes;
using OrleansMqtt.Grains;

namespace OrleansMqtt.MicroBenchmarks;

/// <summary>Finding the session partitions of a topic, known and unknown.</summary>
[MemoryDiagnoser]
public class RoutingBenchmarks
{
    private readonly RouterIndex _index = new SubscriptionIndex().TryOpen()!;
    private readonly string[] _topics = [.. Enumerable.Range(0, 50_000).Select(i => $"site/{i}/temperature")];
    private int _next;

    [GlobalSetup]
    public void SetUp()
    {
        for (var i = 0; i < 50_000; i++)
        {
            _index.Add(i % 4, [$"site/{i}/+"]);
        }
    }

    [Benchmark]
    public int KnownTopic() => Count(_topics[0]);

    [Benchmark]
    public int ManyTopics() => Count(_topics[_next++ % _topics.Length]);

    private int Count(string topic)
    {
        var count = 0;
        _index.Begin();
        foreach (var target in _index.Match(topic))
        {
            count += target + 1;
        }

        _index.End();
        return count;
    }
}
