namespace OrleansMqtt.Grains;

/// <summary>The subscriptions of a partition's sessions by filter; keeps the routers informed of the filters that somebody has.</summary>
internal sealed class SubscriptionTable(TopicRoutes routes)
{
    private readonly TopicFilterTree<FilterSubscribers> _filters = new();
    private RouterLink[] _links = [];

    public void Start(RouterLink[] links) => _links = links;

    /// <summary>Whether a subscription is known to count from some offset on.</summary>
    public bool HasStarted
    {
        get
        {
            foreach (var (_, subscribers) in _filters.Entries)
            {
                foreach (var subscription in subscribers.Subscriptions)
                {
                    if (subscription.Start is not { IsKnown: false })
                    {
                        return true;
                    }
                }
            }

            return false;
        }
    }

    /// <summary>Appends the subscribers of all filters that match.</summary>
    public void Match(string topic, List<FilterSubscribers> matches) => _filters.Match(topic, matches);

    /// <summary>Adds a subscription, or changes it; a changed one goes on counting from where it did.</summary>
    /// <returns>Whether it is a new one.</returns>
    public bool Set(Session session, Subscription request, SubscriptionStart start)
    {
        var options = SubscriptionOptions.Of(request);
        session.HasIdentifiers |= options.Identifier != 0;
        if (!session.Subscriptions.TryGetValue(request.Filter, out var subscription))
        {
            if (!_filters.TryGet(request.Filter, out var subscribers))
            {
                subscribers = new(request.Filter);
                _filters.Set(request.Filter, subscribers);
                GrainInstruments.Filters.Add(1);
                ForEachReached(request.Filter, link => link.Add(request.Filter));
            }

            // The tree's own text is kept: many sessions have the same filters.
            subscription = new(session, subscribers) { Options = options, Start = start };
            subscribers.Add(subscription);
            session.Subscriptions.Add(subscribers.Filter, subscription);
            GrainInstruments.Subscriptions.Add(1);
            return true;
        }

        if (subscription.Options != options)
        {
            subscription.Change(options, start);
        }

        return false;
    }

    /// <summary>Removes a session's subscription; false when there is none.</summary>
    public bool Remove(Session session, string filter)
    {
        if (!session.Subscriptions.Remove(filter, out var subscription))
        {
            return false;
        }

        Remove(subscription);
        return true;
    }

    /// <summary>Removes all subscriptions of a session.</summary>
    public void RemoveAll(Session session)
    {
        foreach (var subscription in session.Subscriptions.Values)
        {
            Remove(subscription);
        }

        session.Subscriptions.Clear();
    }

    /// <summary>The filters that a router has to know.</summary>
    public string[] FiltersOf(RouterLink link) =>
        [.. _filters.Entries.Where(entry => routes.Reaches(entry.Filter, link.Source.Topic)).Select(entry => entry.Filter)];

    /// <summary>Tells the routers that some of the filters reach, and returns the ends of their partitions after that; 0 for the others: nothing of theirs can match.</summary>
    public Task<long[]> UpdateRouters(IReadOnlyList<Subscription> subscriptions) => Task.WhenAll(_links.Select(link =>
        subscriptions.Any(subscription => routes.Reaches(subscription.Filter, link.Source.Topic)) ? link.UpdateAsync() : Task.FromResult(0L)));

    /// <summary>Tells the routers what changed, without waiting for them.</summary>
    public void TellRouters()
    {
        foreach (var link in _links)
        {
            if (link.HasChanges)
            {
                link.UpdateAsync().Ignore();
            }
        }
    }

    private void Remove(SessionSubscription subscription)
    {
        var subscribers = subscription.Subscribers;
        subscribers.Remove(subscription);
        GrainInstruments.Subscriptions.Add(-1);
        if (subscribers.Count == 0)
        {
            _filters.Remove(subscribers.Filter);
            GrainInstruments.Filters.Add(-1);
            ForEachReached(subscribers.Filter, link => link.Remove(subscribers.Filter));
        }
    }

    private void ForEachReached(string filter, Action<RouterLink> action)
    {
        foreach (var link in _links)
        {
            if (routes.Reaches(filter, link.Source.Topic))
            {
                action(link);
            }
        }
    }
}
