using System.Runtime.InteropServices;
using OrleansMqtt.Log;
using OrleansMqtt.Storage.Kafka;

namespace OrleansMqtt.Grains;

/// <summary>The memberships of a partition's sessions in groups of shared subscriptions. Used inside the turns of the partition's grain only.</summary>
internal sealed class SharedMemberships(
    SessionTable sessions,
    SessionStore store,
    SessionSender sender,
    IReadOnlyDictionary<TopicPartitionId, RouterLink> links,
    GroupLink[] groups,
    Func<string, int> partitionOf,
    long generation)
{
    private long _lastNumber = generation;

    /// <summary>Sends what was put together in this turn.</summary>
    public void Flush()
    {
        foreach (var group in groups)
        {
            group.Flush();
        }
    }

    /// <summary>Takes a stored shared subscription.</summary>
    public void Load(Session session, Subscription subscription, IEnumerable<StoredMembership> stored)
    {
        if (session.Shares?.Find(subscription.Filter) is { } known)
        {
            // The session's record had it already, and its edge hands it over as it is now.
            known.Options = SubscriptionOptions.Of(subscription);
            return;
        }

        // Without its record a membership is a new one.
        var found = stored.FirstOrDefault(each => each.Group == subscription.Filter);
        var membership = Add(session, subscription, found.Number > 0 ? found.Number : ++_lastNumber);
        membership.LastTaken = found.LastTaken;
        membership.IsStored = found.Number > 0;
        membership.IsReported = membership.IsStored || !session.IsDurable;
        session.Shares!.HasRecord |= found.Number > 0;
    }

    /// <summary>Stores memberships that were loaded without a number, before any group hears of them.</summary>
    public Task StoreLoadedAsync() => Task.WhenAll(sessions.All.Where(HasUnstored).Select(StoreAsync).ToList());

    /// <summary>Makes the session a member of groups, or changes how it is one; completes when that counts.</summary>
    public Task JoinAsync(Session session, IReadOnlyList<Subscription> subscriptions)
    {
        if (subscriptions.Count == 0)
        {
            return Task.CompletedTask;
        }

        List<Membership> joined = [];
        foreach (var subscription in subscriptions)
        {
            var membership = session.Shares?.Find(subscription.Filter) ?? Add(session, subscription, ++_lastNumber);
            membership.Options = SubscriptionOptions.Of(subscription);
            joined.Add(membership);
        }

        store.MarkDirty(session);
        return JoinAsync(session, joined);
    }

    /// <summary>Ends a membership by UNSUBSCRIBE; false when there is none. What was sent stays with the session.</summary>
    public bool Leave(Session session, string filter)
    {
        if (session.Shares?.Find(filter) is not { } membership)
        {
            return false;
        }

        var kept = Leave(membership);
        store.MarkDirty(session);
        if (session.IsDurable && kept.Count > 0)
        {
            // They are the group's until they are stored with the session.
            TellWhenStored(session, membership, kept).Ignore();
        }
        else
        {
            TellLeft(membership, kept);
        }

        return true;
    }

    /// <summary>The session has a connection that is accepted.</summary>
    public void Connected(Session session) => Tell(session);

    /// <summary>The session has no connection any more.</summary>
    public void Disconnected(Session session)
    {
        if (session.Shares is { } shares)
        {
            shares.Disconnect(session.Window);
            Tell(session);
        }
    }

    /// <summary>The session has ended.</summary>
    public void Ended(Session session)
    {
        if (session.Shares is not { } shares)
        {
            return;
        }

        shares.Disconnect(session.Window);
        foreach (var membership in shares.Memberships.ToArray())
        {
            TellLeft(membership, Leave(membership));
        }

        Flush();
    }

    /// <summary>See <see cref="ISharedMembersGrain.TakeLeases"/>.</summary>
    public long[] Take(LeaseBatch batch)
    {
        var link = groups[batch.GroupPartition];
        if (batch.Generation < link.OwnerGeneration)
        {
            throw new InvalidOperationException("A later owner leases the messages of these groups.");
        }

        if (!link.IsCurrent(batch))
        {
            throw new InvalidOperationException("The batch was made before the last complete report of the members.");
        }

        if ((link.LastLeases.Generation, link.LastLeases.Sequence) == (batch.Generation, batch.Sequence))
        {
            return link.LastLeases.Refused;
        }

        var sources = link.ResolveSources(batch.Sources, links);
        List<long>? refused = null;
        foreach (ref readonly var offer in CollectionsMarshal.AsSpan(batch.Offers))
        {
            if (!TryTake(link, offer, sources[offer.Source]))
            {
                (refused ??= []).Add(offer.Number);
            }
        }

        link.LastLeases = (batch.Generation, batch.Sequence, refused is null ? [] : [.. refused]);
        sender.Flush();
        return link.LastLeases.Refused;
    }

    /// <summary>The owner of groups is another one: what is not sent will be offered anew, and what is sent is the sessions' own.</summary>
    public void OwnerLost(GroupLink link)
    {
        foreach (var membership in link.Memberships)
        {
            if (membership.Session.Shares!.Leave(membership).Count > 0)
            {
                store.MarkDirty(membership.Session);
            }
        }
    }

    private bool TryTake(GroupLink group, in LeaseOffer offer, RouterLink? source)
    {
        if (group.HasTaken(offer))
        {
            EndWhenStored(group, offer.Number).Ignore();
            return true;
        }

        if (sessions.Find(offer.Slot, offer.Epoch) is not { Edge: { } edge, IsStarted: true } session
            || group.Find(offer.Member) is not { } membership
            || membership.Session != session
            || source is null)
        {
            return false;
        }

        var retain = offer.Message.Retain && membership.Options.RetainAsPublished;
        if (offer.QoS == 0)
        {
            if (offer.IsFilling && membership.WorksAhead && !edge.IsCongested)
            {
                edge.NoteBehind();
            }

            SessionSender.SendUnstored(session, edge, offer.Message, membership.Identifiers, Delivery.NoSource, retain);
        }
        else
        {
            if (offer.IsFilling && membership.IsUnderused)
            {
                edge.NoteBehind();
            }

            session.Shares!.Wait(new(membership, offer.Number, new(offer.Message.Offset, (ushort)source.Index, offer.QoS, retain), offer.Message));
            sender.Pump(session);
        }

        return true;
    }

    private Membership Add(Session session, Subscription subscription, long number)
    {
        var link = groups[partitionOf(subscription.Filter)];
        Membership membership = new(session, subscription.Filter, number, link) { Options = SubscriptionOptions.Of(subscription) };
        (session.Shares ??= new()).Add(membership);
        link.Add(membership);
        return membership;
    }

    private async Task JoinAsync(Session session, List<Membership> joined)
    {
        if (HasUnstored(session))
        {
            await StoreAsync(session);
        }

        foreach (var membership in joined)
        {
            Change(membership);
        }

        await Task.WhenAll(joined.Select(JoinAsync));
    }

    private static async Task JoinAsync(Membership membership)
    {
        while (true)
        {
            await membership.Link.ReportAsync();
            if (membership.HasLeft || await membership.Link.WaitForStartAsync(membership))
            {
                return;
            }

            // The owner of the group is another one, which has not heard of the member.
            await Task.Delay(100);
        }
    }

    private void Tell(Session session)
    {
        if (HasUnstored(session))
        {
            TellStored(session).Ignore();
        }
        else if (session.Shares is { } shares)
        {
            foreach (var membership in shares.Memberships)
            {
                Change(membership);
            }

            Flush();
        }
    }

    private async Task TellStored(Session session)
    {
        await StoreAsync(session);
        Tell(session);
    }

    private static void Change(Membership membership)
    {
        if (!membership.HasLeft)
        {
            membership.IsReported = true;
            membership.Link.Change(membership.ToChange());
        }
    }

    private static bool HasUnstored(Session session) =>
        session is { IsDurable: true, IsEnded: false, Shares: { } shares } && shares.Memberships.Any(static membership => !membership.IsStored);

    private async Task StoreAsync(Session session)
    {
        List<Membership> stored = [.. session.Shares!.Memberships];
        List<StoreRecord> records = [];
        store.AddSession(session, records);
        await store.CommitAsync(records, [session]);
        stored.ForEach(static membership => membership.IsStored = true);
    }

    private static List<HeldLease> Leave(Membership membership)
    {
        var shares = membership.Session.Shares!;
        var kept = shares.Leave(membership);
        membership.HasLeft = true;
        membership.Link.Remove(membership);
        shares.Remove(membership);
        return kept;
    }

    private void TellLeft(Membership membership, List<HeldLease> kept)
    {
        foreach (var lease in kept)
        {
            membership.End(lease.Number, LeaseEndKind.Ended);
        }

        membership.Link.Change(membership.ToChange());
        Flush();
    }

    private async Task TellWhenStored(Session session, Membership membership, List<HeldLease> kept)
    {
        await StoreAsync(session);
        TellLeft(membership, kept);
    }

    private async Task EndWhenStored(GroupLink link, long number)
    {
        // That it was taken may be on its way to the log still.
        await store.CommitAsync([]);
        link.End(number, LeaseEndKind.Ended, isAwaited: false);
        link.Flush();
    }
}
