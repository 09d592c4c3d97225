using System.Runtime.InteropServices;

namespace OrleansMqtt.Grains;

/// <summary>The subscriptions to one filter.</summary>
internal sealed class FilterSubscribers(string filter)
{
    private readonly List<SessionSubscription> _subscriptions = new(1);

    public string Filter { get; } = filter;

    public int Count => _subscriptions.Count;

    public ReadOnlySpan<SessionSubscription> Subscriptions => CollectionsMarshal.AsSpan(_subscriptions);

    public void Add(SessionSubscription subscription)
    {
        subscription.Index = _subscriptions.Count;
        _subscriptions.Add(subscription);
    }

    public void Remove(SessionSubscription subscription)
    {
        var last = _subscriptions[^1];
        _subscriptions[subscription.Index] = last;
        last.Index = subscription.Index;
        _subscriptions.RemoveAt(_subscriptions.Count - 1);
    }
}
