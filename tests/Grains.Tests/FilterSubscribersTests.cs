using Xunit;

namespace OrleansMqtt.Grains.Tests;

/// <summary>The subscriptions with one topic filter.</summary>
public sealed class FilterSubscribersTests
{
    [Fact]
    public void The_subscriptions_of_a_filter_come_and_go()
    {
        FilterSubscribers subscribers = new("site/+");
        var each = Enumerable.Range(0, 3).Select(i => new SessionSubscription(new($"client-{i}", i), subscribers)).ToArray();
        Assert.True(subscribers.Subscriptions.IsEmpty);
        subscribers.Add(each[0]);
        Assert.Equal([each[0]], subscribers.Subscriptions.ToArray());
        subscribers.Remove(each[0]);
        Assert.Equal(0, subscribers.Count);
        Array.ForEach(each, subscribers.Add);
        Assert.Equal(each, subscribers.Subscriptions.ToArray());
        subscribers.Remove(each[0]);
        Assert.Equal([each[2], each[1]], subscribers.Subscriptions.ToArray());
        subscribers.Remove(each[1]);
        Assert.Equal([each[2]], subscribers.Subscriptions.ToArray());
        subscribers.Remove(each[2]);
        Assert.Equal(0, subscribers.Count);
        Assert.True(subscribers.Subscriptions.IsEmpty);
        subscribers.Add(each[1]);
        Assert.Equal([each[1]], subscribers.Subscriptions.ToArray());
    }
}
