using Microsoft.Extensions.Logging;
using OrleansMqtt.Log;
using OrleansMqtt.Storage.Kafka;

namespace OrleansMqtt.Grains;

// How an owner begins, and how it closes gaps: it reads the messages partitions from the stored positions, or from where a router left it.
internal sealed partial class SessionPartitionGrain
{
    private const int CatchUpRecords = 2048;

    /// <summary>Clients' grains that are told at a time.</summary>
    private const int ConcurrentNotices = 64;

    private async Task Recover(SessionLoader loader, CancellationToken cancellationToken)
    {
        // Time passes between two owners, so a counter from it grows even if the sessions topic was lost.
        _generation = Math.Max((loader.Positions?.Generation ?? 0) + 1, time.GetUtcNow().UtcTicks);
        var sources = routes.PartitionsOn(log);
        TopicPartitionId[] all = [.. sources, .. retainedPartitions.All];
        _sources = new(loader.Positions, all, retainedPartitions.All.Count, await identities.ReadAsync(all, cancellationToken));
        _links = Array.ConvertAll(sources, CreateLink);
        await FindPositions(sources, cancellationToken);
        _store = new(_partitionStore, _sources, _links, _sessions, _generation, options.Value.Presence, logger)
        {
            WhenDeliveriesTaken = () => Task.WhenAll(_sender.Edges.Values.Select(static edge => edge.WhenTaken())),
        };
        IdentifierSets identifierSets = new();
        MessageSource[] retained = [.. retainedPartitions.All.Select((partition, i) => new MessageSource(partition, _links.Length + i))];
        _sender = new(stored, new(log, _partitionStore.Partition, logger), [.. _links, .. retained], _sources, _store, new(_subscriptions, identifierSets), _partition, logger);
        _delivery = new(_subscriptions, identifierSets, _sender, _links, _store, options.Value, logger);
        _retained = new(
            log, retainedPartitions.All, retained, partition => GrainFactory.GetGrain<IRetainedViewGrain>(partition), _sender, identifierSets, _store, _partition, logger);
        _sender.RetainedWanted = _retained.Advance;
        _subscriptions.Start(_links);
        CreateSharing(sources);
        var connected = LoadSessions(loader);
        foreach (var (clientId, keys) in loader.Leftovers)
        {
            _store.Leave(clientId, keys);
        }

        List<StoreRecord> records = [];
        _store.AddPositions(records);
        await _store.CommitAsync(records);
        await _memberships.StoreLoadedAsync();

        // Not awaited: an activation waits for nobody else.
        TakeConnections(loader, connected).Ignore();
    }

    private async Task FindPositions(TopicPartitionId[] sources, CancellationToken cancellationToken)
    {
        var ranges = await log.GetOffsetsAsync(sources, cancellationToken);
        for (var attempt = 0; attempt < 25 && Array.Exists(_links, link => _sources.PositionOf(link.Index) > ranges[link.Index].End); attempt++)
        {
            // A new leader may know less for a moment.
            await Task.Delay(200, cancellationToken);
            ranges = await log.GetOffsetsAsync(sources, cancellationToken);
        }

        foreach (var link in _links)
        {
            var (stored, (start, end)) = (_sources.PositionOf(link.Index), ranges[link.Index]);
            if (stored > end)
            {
                // The topic was cut: what is stored of what lay behind means nothing any more.
                LogTruncated(_partition, link.Source, stored, end);
                _sources.Cut(link.Index, end);
            }
            else if (_sources.IsAnew(link.Index))
            {
                LogAnew(_partition, link.Source, start);
            }

            link.RecoveredTo = end;
            link.Position = stored >= 0 && stored <= end ? stored : _sources.IsAnew(link.Index) ? start : end;
        }
    }

    /// <summary>A topic was made anew: begins again with it.</summary>
    private void CheckTopics()
    {
        if (!_beginsAgain && !(_links.All(link => identities.IsStill(link.Source.Topic, link.TopicId))
            && Enumerable.Range(_sources.FirstRetained, _sources.RetainedCount).All(source => identities.IsStill(retainedPartitions.Topic, _sources.TopicIdOf(source)))))
        {
            _beginsAgain = true;
            BeginAgain().Ignore();
        }
    }

    /// <returns>The clients that were connected.</returns>
    private List<(string ClientId, SessionRecord Record)> LoadSessions(SessionLoader loader)
    {
        foreach (var record in loader.Records)
        {
            _states.Load(record);
        }

        foreach (var (session, record) in loader.CreateGroups(_sources))
        {
            _groups.Load(session, record);
        }

        List<(string, SessionRecord)> connected = [];
        foreach (var (session, record) in loader.CreateSessions(_sessions, _sources))
        {
            _sessions.Add(session);
            _store.SetDurable(session, record.ExpirySeconds > 0);
            session.Subscriptions.EnsureCapacity(record.Subscriptions.Count);
            SourceOffset[]? last = null;
            SubscriptionStart? start = null;
            foreach (var (subscription, offsets) in record.Subscriptions)
            {
                if (SharedFilter.IsShared(subscription.Filter))
                {
                    _memberships.Load(session, subscription, loader.MembershipsOf(session.ClientId));
                    continue;
                }

                start = ReferenceEquals(offsets, last) ? start! : new(_sources.ByLink(offsets));
                last = offsets;
                _subscriptions.Set(session, subscription, start);
            }

            RetainedDelivery.Resume(session);

            if (record.IsConnected)
            {
                connected.Add((session.ClientId, record));
            }
            else
            {
                _due.Set(session, record.DueAt);
            }
        }

        return connected;
    }

    private RouterLink CreateLink(TopicPartitionId source)
    {
        RouterLink link = new(source, _linksBySource.Count, _partition, _generation, GrainFactory.GetGrain<IRouterGrain>(source.ToString()), logger)
        {
            TopicId = _sources.TopicIdOf(_linksBySource.Count),
            AllFilters = _subscriptions.FiltersOf,
            Routed = OnRouted,
            Superseded = DeactivateOnIdle,
        };
        _linksBySource.Add(source, link);
        return link;
    }

    /// <summary>A router has got all filters, and routes from a position on: what lies before it is read here.</summary>
    private void OnRouted(RouterLink link, long position)
    {
        var isNoneBefore = IsNoneBefore(link);
        link.IsRouted = true;
        if (isNoneBefore)
        {
            link.Position = Math.Max(link.Position, position);
            if (TakeKept(link))
            {
                CatchUpTo(link, link.Kept.From!.Value);
            }
        }
        else
        {
            CatchUpTo(link, position);
        }
    }

    /// <summary>
    /// Whether no subscription counts from before a router has got its first filters: while one is made, each router tells it from where on it counts, and that is not before then.
    /// </summary>
    private bool IsNoneBefore(RouterLink link) => !link.IsRouted && !link.IsCatchingUp && !_subscriptions.HasStarted;

    private void CatchUpTo(RouterLink link, long to)
    {
        link.CatchUpTo = Math.Max(link.CatchUpTo, to);
        if (!link.IsCatchingUp && link.Position < link.CatchUpTo)
        {
            CatchUp(link).Ignore();
        }
    }

    private async Task CatchUp(RouterLink link)
    {
        link.IsCatchingUp = true;
        LogCatchUp(_partition, link.Source, link.Position, link.CatchUpTo);
        while (true)
        {
            try
            {
                if (!TakeKept(link) && link.Position >= link.CatchUpTo)
                {
                    break;
                }

                var batch = await log.ReadRangeAsync(link.Source.Topic, link.Source.Partition, link.Position, CatchUpRecords, CancellationToken.None);
                _delivery.Deliver(link, _decoder.Decode(batch));
                if (batch.To <= link.Position)
                {
                    // The end moved back for a moment, as with an open transaction.
                    await Task.Delay(10);
                    continue;
                }

                link.Position = batch.To;
                _sender.Flush();
                GrainInstruments.CaughtUp.Add(batch.Records.Length);
            }
            catch (OffsetOutOfRangeException exception)
            {
                LogLost(_partition, link.Source, link.Position, exception.Available.Start);
                link.Position = Math.Max(link.Position + 1, exception.Available.Start);
            }
            catch (ObjectDisposedException)
            {
                return;
            }
            catch (Exception exception)
            {
                LogCatchUpFailed(exception, _partition, link.Source, link.Position);
                await Task.Delay(200);
            }
        }

        link.IsCatchingUp = false;
        ForgetMatched();
    }

    /// <summary>Goes on with what the router has sent meanwhile, when what was read has come to it. True when there is something to read before more of it.</summary>
    private bool TakeKept(RouterLink link)
    {
        while (link.Kept.TakeAt(link.Position) is { } batch)
        {
            Deliver(link, batch);
        }

        return link.Kept.From is not null;
    }

    /// <summary>Delivers what a router has sent, and goes on behind it.</summary>
    private void Deliver(RouterLink link, RoutedBatch batch)
    {
        _delivery.Deliver(link, batch.Messages);
        link.Position = batch.To;
        _sender.Flush();
    }

    /// <summary>What an earlier owner had matched is passed: nothing needs to be compared with it any more.</summary>
    private void ForgetMatched()
    {
        if (!_hasMatchedBefore || _links.Any(other => other.IsCatchingUp))
        {
            return;
        }

        _hasMatchedBefore = false;
        foreach (var session in _sessions.All)
        {
            if (session.MatchedBefore is { } matched && matched.Zip(_links).All(pair => pair.First <= pair.Second.Position))
            {
                session.MatchedBefore = null;
            }

            if (session.Taken?.IsPassed(_links) == true)
            {
                session.Taken = null;
            }

            _hasMatchedBefore |= session.MatchedBefore is not null || session.Taken is not null;
        }
    }

    private async Task Lose(List<(string ClientId, ConnectionEpoch Epoch)> connections)
    {
        if (connections.Count == 0)
        {
            return;
        }

        // Outside of this turn: what the grains do comes back here.
        await Task.Yield();
        LogLosing(_partition, connections.Count);
        using SemaphoreSlim room = new(ConcurrentNotices);
        foreach (var (clientId, epoch) in connections)
        {
            await room.WaitAsync();
            Tell(clientId, epoch).Ignore();
        }

        for (var i = 0; i < ConcurrentNotices; i++)
        {
            await room.WaitAsync();
        }

        async Task Tell(string clientId, ConnectionEpoch epoch)
        {
            try
            {
                await GrainFactory.GetGrainOf<ISessionLifetimeGrain>(clientId).OnLost(epoch);
            }
            catch (Exception exception)
            {
                LogNoticeFailed(exception, clientId);
                if (_sessions.Find(clientId) is { Edge: null } session)
                {
                    _due.Set(session, Now + 1000);
                }
            }
            finally
            {
                room.Release();
            }
        }
    }

    private Task AskDue(CancellationToken cancellationToken)
    {
        // An edge to which nothing is sent must be missed too: its clients' wills are due.
        foreach (var edge in _sender.Edges.Values.Where(edge => edgeServices.IsDead(edge.Edge)).ToArray())
        {
            LoseAll(edge);
        }

        AskNext();
        return Task.CompletedTask;

        void AskNext()
        {
            while (_asked < ConcurrentNotices && _due.TryTake(Now, out var session))
            {
                _asked++;
                Ask(session).Ignore();
            }
        }

        async Task Ask(Session session)
        {
            await Task.Yield();
            try
            {
                await GrainFactory.GetGrainOf<ISessionLifetimeGrain>(session.ClientId).OnDue();
            }
            catch (Exception exception)
            {
                LogNoticeFailed(exception, session.ClientId);
                if (session is { Edge: null, IsEnded: false })
                {
                    _due.Set(session, Now + 1000);
                }
            }
            finally
            {
                // Many may be due at one moment, as after a restart: the next do not wait for the timer.
                _asked--;
                AskNext();
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Session partition {SessionPartition} reads {Source} from {From} to {To} from the log itself")]
    private partial void LogCatchUp(int sessionPartition, TopicPartitionId source, long from, long to);

    [LoggerMessage(Level = LogLevel.Error, Message = "Session partition {SessionPartition} lost {Source} from {From} to {Start}: the log does not hold it any more")]
    private partial void LogLost(int sessionPartition, TopicPartitionId source, long from, long start);

    [LoggerMessage(Level = LogLevel.Error, Message = "Session partition {SessionPartition} was at {Position} of {Source}, which ends at {End}: it was cut; it goes on there")]
    private partial void LogTruncated(int sessionPartition, TopicPartitionId source, long position, long end);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Session partition {SessionPartition} begins with {Source} at {Start}: the topic was made anew")]
    private partial void LogAnew(int sessionPartition, TopicPartitionId source, long start);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Session partition {SessionPartition} could not read {Source} at {Offset}; it tries again")]
    private partial void LogCatchUpFailed(Exception exception, int sessionPartition, TopicPartitionId source, long offset);

    [LoggerMessage(Level = LogLevel.Information, Message = "Session partition {SessionPartition} ends {Count} connections that it has no edge for")]
    private partial void LogLosing(int sessionPartition, int count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The grain of client {ClientId} did not take a notice; it is told again")]
    private partial void LogNoticeFailed(Exception exception, string clientId);
}
