using System.Runtime.InteropServices;

namespace OrleansMqtt.Grains;

/// <summary>The subscriptions to one filter. Most filters have one, which costs no list: there may be millions.</summary>
internal sealed class FilterSubscribers(string filter)
{
    private SessionSubscription? _only;

    // All of them once there was a second one.
    private List<SessionSubscription>? _several;

    public string Filter { get; } = filter;

    public int Count => _several?.Count ?? (_only is null ? 0 : 1);

    /// <summary>Valid until the next change.</summary>
    public ReadOnlySpan<SessionSubscription> Subscriptions =>
        _several is null ? MemoryMarshal.CreateReadOnlySpan(ref _only!, Count) : CollectionsMarshal.AsSpan(_several);

    public void Add(SessionSubscription subscription)
    {
        subscription.Index = Count;
        if (_several is not null)
        {
            _several.Add(subscription);
        }
        else if (_only is null)
        {
            _only = subscription;
        }
        else
        {
            (_several, _only) = ([_only, subscription], null);
        }
    }

    public void Remove(SessionSubscription subscription)
    {
        if (_several is null)
        {
            _only = null;
            return;
        }

        var last = _several[^1];
        _several[subscription.Index] = last;
        last.Index = subscription.Index;
        _several.RemoveAt(_several.Count - 1);
    }
}
