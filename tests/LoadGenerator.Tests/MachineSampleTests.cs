using OrleansMqtt.LoadGenerator.Measuring;
using Xunit;

namespace OrleansMqtt.LoadGenerator.Tests;

public sealed class MachineSampleTests
{
    [Fact]
    public void What_others_took_is_a_share_of_all_processor_time()
    {
        // The last two are of virtual machines inside this one, and counted in the first two already.
        var earlier = MachineSample.Parse("cpu  1000 0 500 3000 10 0 20 100 400 0");
        var later = MachineSample.Parse("cpu  1400 0 600 3300 10 0 20 300 700 0");
        Assert.Equal(20.0, later.StolenPercentSince(earlier));
        Assert.Equal(0.0, later.StolenPercentSince(later));
    }

    [Fact]
    public void The_machine_that_this_runs_on_tells_its_own()
    {
        var sample = MachineSample.Take();
        Assert.True(sample.Total > 0);
        Assert.InRange(sample.Stolen, 0, sample.Total);
    }
}
