using Microsoft.Extensions.Time.Testing;
using OrleansMqtt.Edge.Publishing;

namespace OrleansMqtt.Edge.Tests;

public sealed class PublishPaceTests : IDisposable
{
    private const long Total = 100_000_000;
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan DelayLimit = TimeSpan.FromMilliseconds(100);
    private readonly FakeTimeProvider _time = new();
    private readonly PublishCredits _credits = new(Total);
    private readonly PublishPace _pace;

    public PublishPaceTests() => _pace = new(_credits, _time, DelayLimit);

    public void Dispose() => _pace.Dispose();

    [Fact]
    public async Task The_limit_shrinks_below_what_was_outstanding_when_batches_wait_too_long()
    {
        Assert.True(await _credits.TakeAsync(1_000_000, TestContext.Current.CancellationToken));
        Pass(DelayLimit, periods: 2);
        Assert.Equal(Total, _credits.Limit);
        Pass(DelayLimit * 2, periods: 1);
        Assert.InRange(_credits.Limit, 500_000, 999_999);
        Assert.False(_credits.TakeAsync(1, TestContext.Current.CancellationToken).AsTask().IsCompleted);
    }

    [Fact]
    public async Task It_shrinks_each_period_in_which_something_falls_behind_although_all_batches_are_in_time()
    {
        Assert.True(await _credits.TakeAsync(1_000_000, TestContext.Current.CancellationToken));
        for (var i = 0; i < 2; i++)
        {
            _pace.NoteBehind();
            Pass(DelayLimit / 2, periods: 1);
        }

        Assert.Equal(489_999, _credits.Limit);
    }

    [Fact]
    public async Task It_shrinks_once_in_the_time_that_batches_wait()
    {
        Assert.True(await _credits.TakeAsync(1_000_000, TestContext.Current.CancellationToken));
        var delay = Period * 5;
        Pass(delay, periods: 5);
        var limit = _credits.Limit;
        Assert.InRange(limit, 1, 999_999);
        Pass(delay, periods: 4);
        Assert.Equal(limit, _credits.Limit);
        Pass(delay, periods: 1);
        Assert.InRange(_credits.Limit, 1, limit - 1);
    }

    [Fact]
    public async Task It_grows_again_and_who_waited_goes_on_when_batches_are_in_time()
    {
        Assert.True(await _credits.TakeAsync(1_000_000, TestContext.Current.CancellationToken));
        Pass(DelayLimit * 2, periods: 2);
        var waiting = _credits.TakeAsync(500_000, TestContext.Current.CancellationToken).AsTask();
        Assert.False(waiting.IsCompleted);
        Pass(DelayLimit / 2, periods: 200);
        Assert.Equal(Total, _credits.Limit);
        Assert.True(await waiting.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task It_grows_when_nothing_is_heard_any_more()
    {
        Assert.True(await _credits.TakeAsync(1_000_000, TestContext.Current.CancellationToken));
        Pass(DelayLimit * 2, periods: 2);
        var limit = _credits.Limit;
        for (var i = 0; i < 200; i++)
        {
            _time.Advance(Period);
        }

        Assert.InRange(limit, 1, 999_999);
        Assert.Equal(Total, _credits.Limit);
    }

    [Fact]
    public async Task A_publish_that_is_larger_than_the_limit_goes_when_nothing_else_is_under_way()
    {
        Assert.True(await _credits.TakeAsync(100_000, TestContext.Current.CancellationToken));
        Pass(DelayLimit * 2, periods: 20);
        Assert.InRange(_credits.Limit, 1, 100_000);
        var large = _credits.TakeAsync(10_000_000, TestContext.Current.CancellationToken).AsTask();
        Assert.False(large.IsCompleted);
        _credits.Release(100_000);
        Assert.True(await large.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken));
    }

    private void Pass(TimeSpan delay, int periods)
    {
        for (var i = 0; i < periods; i++)
        {
            _pace.Note(delay);
            _time.Advance(Period);
        }
    }
}
