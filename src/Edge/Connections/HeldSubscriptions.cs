namespace OrleansMqtt.Edge.Connections;

/// <summary>The subscriptions of a session that is not stored: its edge keeps them for the next owner of its session partition.</summary>
internal sealed class HeldSubscriptions
{
    private readonly Lock _gate = new();
    private readonly List<HandedOverSubscription> _held = [];

    public HandedOverSubscription[] All
    {
        get
        {
            lock (_gate)
            {
                return [.. _held];
            }
        }
    }

    /// <summary>Adds or replaces those that were granted; a replaced one goes on counting from where it did.</summary>
    public void Add(IReadOnlyList<Subscription> subscriptions, byte[] reasonCodes, SourceOffset[] starts)
    {
        lock (_gate)
        {
            for (var i = 0; i < subscriptions.Count; i++)
            {
                if (reasonCodes[i] >= 0x80)
                {
                    continue;
                }

                var subscription = subscriptions[i];
                var index = _held.FindIndex(held => held.Subscription.Filter == subscription.Filter);
                if (index < 0)
                {
                    _held.Add(new(subscription, starts));
                }
                else
                {
                    _held[index] = _held[index] with { Subscription = subscription };
                }
            }
        }
    }

    public void Remove(string[] filters)
    {
        lock (_gate)
        {
            _held.RemoveAll(held => filters.Contains(held.Subscription.Filter));
        }
    }
}
