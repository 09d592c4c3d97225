using BenchmarkDotNet.Attributes;
using OrleansMqtt.Grains;

namespace OrleansMqtt.MicroBenchmarks;

/// <summary>Finding the filters of a topic among many.</summary>
[MemoryDiagnoser]
public class TopicFilterTreeBenchmarks
{
    private readonly TopicFilterTree<string> _tree = new();
    private readonly List<string> _matches = [];

    [Params(1_000, 100_000)]
    public int Filters { get; set; }

    [GlobalSetup]
    public void SetUp()
    {
        for (var i = 0; i < Filters; i++)
        {
            var filter = (i % 3) switch { 0 => $"site/{i}/temperature", 1 => $"site/{i}/+", _ => $"site/{i}/#" };
            _tree.Set(filter, filter);
        }
    }

    [Benchmark]
    public int Match()
    {
        _matches.Clear();
        _tree.Match("site/500/temperature", _matches);
        return _matches.Count;
    }
}
