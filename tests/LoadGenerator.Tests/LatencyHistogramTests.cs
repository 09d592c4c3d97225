using OrleansMqtt.LoadGenerator.Measuring;
using Xunit;

namespace OrleansMqtt.LoadGenerator.Tests;

public sealed class LatencyHistogramTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(127)]
    [InlineData(128)]
    [InlineData(1_000_000)]
    [InlineData(1_234_567_891)]
    [InlineData(3_600_000_000_000)]
    public void A_value_comes_back_at_most_two_percent_too_high(long value)
    {
        var histogram = new LatencyHistogram();
        histogram.Record(value);
        histogram.Record(long.MaxValue); // so that the maximum does not hide the bucket's bound

        Assert.InRange(histogram.Percentile(0.5), value, value + (value / 50));
    }

    [Fact]
    public void Percentiles_are_those_of_the_recorded_values()
    {
        var histogram = new LatencyHistogram();
        for (int i = 1; i <= 10_000; i++)
        {
            histogram.Record(i * 1000L);
        }

        Assert.Equal(10_000, histogram.Count);
        Assert.InRange(histogram.Percentile(0.5), 5_000_000, 5_100_000);
        Assert.InRange(histogram.Percentile(0.99), 9_900_000, 10_000_000);
        Assert.Equal(10_000_000, histogram.Maximum);
        Assert.Equal(10_000_000, histogram.Percentile(1));
    }

    [Fact]
    public void What_was_counted_earlier_can_be_taken_away()
    {
        var histogram = new LatencyHistogram();
        histogram.Record(50);
        var earlier = new LatencyHistogram();
        earlier.Add(histogram);
        histogram.Record(5000);
        histogram.Subtract(earlier);

        Assert.Equal(1, histogram.Count);
        Assert.InRange(histogram.Percentile(0.5), 5000, 5000);
    }

    [Fact]
    public void Recording_does_not_allocate()
    {
        var histogram = new LatencyHistogram();
        histogram.Record(1);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            histogram.Record(i * 1000L);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }
}
