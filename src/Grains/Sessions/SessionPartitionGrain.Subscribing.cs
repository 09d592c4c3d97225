namespace OrleansMqtt.Grains;

// SUBSCRIBE and UNSUBSCRIBE: a subscription counts when the routers know it.
internal sealed partial class SessionPartitionGrain
{
    /// <summary>The reason code for a subscription beyond the limit.</summary>
    private const byte QuotaExceeded = 0x97;

    public async ValueTask<SubscribeOutcome?> Subscribe(string clientId, ConnectionEpoch epoch, Subscription[] subscriptions)
    {
        await _handedOver.Task;
        if (_sessions.Find(clientId, epoch) is not { } session)
        {
            return null;
        }

        SubscriptionStart start = new();
        List<Subscription> own = [];
        List<Subscription> shared = [];
        List<string> wantRetained = [];
        var codes = Array.ConvertAll(subscriptions, subscription =>
        {
            var count = session.Subscriptions.Count + (session.Shares?.Memberships.Count ?? 0) + shared.Count;
            if (count >= options.Value.MaximumSubscriptions && !session.Subscriptions.ContainsKey(subscription.Filter) && session.Shares?.Find(subscription.Filter) is null)
            {
                return QuotaExceeded;
            }

            if (SharedFilter.IsShared(subscription.Filter))
            {
                shared.Add(subscription);
            }
            else
            {
                own.Add(subscription);
                if (RetainedDelivery.IsWanted(subscription, isNew: _subscriptions.Set(session, subscription, start)))
                {
                    wantRetained.Add(subscription.Filter);
                }
            }

            return subscription.MaximumQoS;
        });
        var joining = _memberships.JoinAsync(session, shared);
        var ends = await _subscriptions.UpdateRouters(own);
        foreach (var held in start.Resolve(ends))
        {
            if (start.Includes(held.Link, held.Message.Offset))
            {
                _delivery.DeliverHeld(held);
            }
        }

        if (wantRetained.Count > 0)
        {
            await _retained.Begin(session, wantRetained);
        }

        _sender.Flush();
        await joining;
        return _sessions.Find(clientId, epoch) is null ? null : new(codes, _sources.ByNumber(ends));
    }

    public async ValueTask<UnsubscribeResult> Unsubscribe(string clientId, ConnectionEpoch epoch, string[] filters)
    {
        await _handedOver.Task;
        if (_sessions.Find(clientId, epoch) is not { } session)
        {
            return new(Existed: null);
        }

        Array.ForEach(filters, filter => RetainedDelivery.Cancel(session, filter));
        var existed = Array.ConvertAll(filters, filter => SharedFilter.IsShared(filter) ? _memberships.Leave(session, filter) : _subscriptions.Remove(session, filter));
        _subscriptions.TellRouters();
        return new(existed);
    }
}
