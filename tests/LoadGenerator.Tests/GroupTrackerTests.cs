using OrleansMqtt.LoadGenerator.Measuring;
using Xunit;

namespace OrleansMqtt.LoadGenerator.Tests;

public sealed class GroupTrackerTests
{
    [Fact]
    public void What_nobody_of_a_group_has_is_missing_and_what_two_have_is_a_duplicate()
    {
        GroupTracker tracker = new();

        Assert.Equal([true, true, false, true], new uint[] { 0, 9_000, 0, 2 }.Select(tracker.Receive));
        Assert.Equal(1, tracker.Duplicates);
        Assert.Equal(10_000 - 3, tracker.MissingBefore(10_000));
        Assert.Equal([false, true, false, true, true], new uint[] { 0, 1, 2, 9_001, 1_000_000 }.Select(tracker.IsMissing));
    }
}
