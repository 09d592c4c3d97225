using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Concurrency;
using OrleansMqtt.Log;
using OrleansMqtt.Streams.Kafka;

namespace OrleansMqtt.Grains;

[PartitionPlacement, Reentrant, KeepAlive]
internal sealed partial class SessionPartitionGrain(
    IMessageLog log,
    RecordCodec codec,
    TopicRoutes routes,
    EdgeServices edgeServices,
    IOptions<SessionsOptions> options,
    ILogger<SessionPartitionGrain> logger) : Grain, ISessionPartitionGrain
{
    private const int CatchUpRecords = 1024;
    private readonly SessionTable _sessions = new();
    private readonly MessageDecoder _decoder = new(codec, routes);
    private readonly Dictionary<TopicPartitionId, RouterLink> _linksBySource = [];
    private SessionDelivery _delivery = null!;
    private RouterLink[] _links = [];
    private int _partition;
    private long _generation;
    private long _lastCounter;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _partition = (int)this.GetPrimaryKeyLong();
        _generation = DateTime.UtcNow.Ticks;
        _delivery = new(log, _decoder, options.Value, _partition, logger);
        foreach (var topic in routes.Topics)
        {
            for (var partition = 0; partition < log.GetPartitionCount(topic); partition++)
            {
                TopicPartitionId source = new(topic, partition);
                var router = GrainFactory.GetGrain<IRouterGrain>(source.ToString());
                _linksBySource.Add(source, new(source, _linksBySource.Count, _partition, _generation, router, logger)
                {
                    AllFilters = FiltersOf,
                    Superseded = DeactivateOnIdle,
                });
            }
        }

        _links = [.. _linksBySource.Values];
        _delivery.Start(_links);
        return Task.CompletedTask;
    }

    public ValueTask<AttachResult> Attach(string clientId, ConnectRequest request)
    {
        var previous = _sessions.Find(clientId);
        if (previous is not null)
        {
            End(previous);
        }

        var edge = EdgeOf(request.Edge);
        var maximumInflight = Math.Min(request.ReceiveMaximum, options.Value.MaximumInflight);
        Session session = new(
            clientId, _sessions.TakeSlot(), new(_generation, ++_lastCounter), edge, request.ConnectionId, new(maximumInflight, options.Value.MaximumInflightBytes));
        _sessions.Add(session);
        return new(new AttachResult(
            new(session.Epoch, SessionPresent: false, _partition, session.Slot, SessionExpirySeconds: 0), previous?.Edge.Edge, previous?.ConnectionId ?? 0));
    }

    public ValueTask Detach(string clientId, ConnectionEpoch epoch)
    {
        if (_sessions.Find(clientId, epoch) is { } session)
        {
            End(session);
        }

        return ValueTask.CompletedTask;
    }

    public async ValueTask<SubscribeResult> Subscribe(string clientId, ConnectionEpoch epoch, Subscription[] subscriptions)
    {
        if (_sessions.Find(clientId, epoch) is not { } session)
        {
            return new(ReasonCodes: null);
        }

        SubscriptionStart start = new();
        var reasonCodes = new byte[subscriptions.Length];
        for (var i = 0; i < subscriptions.Length; i++)
        {
            reasonCodes[i] = Math.Min(subscriptions[i].MaximumQoS, (byte)1);
            Subscribe(session, subscriptions[i], reasonCodes[i], start);
        }

        // A partition that no filter of these reaches has no router to ask; nothing of it can match either.
        var ends = await Task.WhenAll(_links.Select(link =>
            subscriptions.Any(subscription => routes.Reaches(subscription.Filter, link.Source.Topic)) ? link.UpdateAsync() : Task.FromResult(0L)));
        foreach (var (subscription, link, message) in start.Resolve(ends))
        {
            if (start.Includes(link, message.Offset))
            {
                _delivery.DeliverHeld(subscription, link, message);
            }
        }

        _delivery.Flush();
        return new(_sessions.Find(clientId, epoch) is null ? null : reasonCodes);
    }

    public ValueTask<UnsubscribeResult> Unsubscribe(string clientId, ConnectionEpoch epoch, string[] filters)
    {
        if (_sessions.Find(clientId, epoch) is not { } session)
        {
            return new(new UnsubscribeResult(Existed: null));
        }

        var existed = new bool[filters.Length];
        for (var i = 0; i < filters.Length; i++)
        {
            if (session.Subscriptions.Remove(filters[i], out var subscription))
            {
                existed[i] = true;
                Remove(subscription);
            }
        }

        TellRouters();
        return new(new UnsubscribeResult(existed));
    }

    public ValueTask Acknowledge(AcknowledgementBatch batch)
    {
        foreach (var acknowledgement in batch.Items)
        {
            if (_sessions.Find(acknowledgement.SessionSlot, acknowledgement.Epoch) is { } session && session.Window.Remove(acknowledgement.PacketId)
                && !session.IsLoading)
            {
                _delivery.Pump(session);
            }
        }

        _delivery.Flush();
        return ValueTask.CompletedTask;
    }

    public ValueTask<InboundQoS2Outcome[]> PublishQoS2(InboundQoS2Batch batch) => throw new NotSupportedException();

    public ValueTask Route(RoutedBatch batch)
    {
        if (batch.TargetGeneration != _generation)
        {
            return ValueTask.CompletedTask;
        }

        var link = _linksBySource[batch.Source];
        if (link.Position < 0)
        {
            link.Position = batch.From;
        }

        if (link.IsCatchingUp || batch.From > link.Position)
        {
            link.CatchUpTo = Math.Max(link.CatchUpTo, batch.To);
            if (!link.IsCatchingUp)
            {
                CatchUp(link).Ignore();
            }
        }
        else if (batch.To > link.Position)
        {
            _delivery.Deliver(link, batch.Messages);
            link.Position = batch.To;
            _delivery.Flush();
        }

        return ValueTask.CompletedTask;
    }

    public ValueTask RequestFilters(TopicPartitionId router, long routerGeneration)
    {
        if (_linksBySource.TryGetValue(router, out var link))
        {
            link.RouterStarted(routerGeneration);
            link.UpdateAsync().Ignore();
        }

        return ValueTask.CompletedTask;
    }

    private async Task CatchUp(RouterLink link)
    {
        link.IsCatchingUp = true;
        LogCatchUp(_partition, link.Source, link.Position, link.CatchUpTo);
        while (link.Position < link.CatchUpTo)
        {
            try
            {
                var batch = await log.ReadRangeAsync(link.Source.Topic, link.Source.Partition, link.Position, CatchUpRecords, CancellationToken.None);
                _delivery.Deliver(link, _decoder.Decode(batch));
                link.Position = Math.Max(link.Position, batch.To);
                _delivery.Flush();
                GrainInstruments.CaughtUp.Add(batch.Records.Length);
            }
            catch (OffsetOutOfRangeException exception)
            {
                LogLost(_partition, link.Source, link.Position, exception.Available.Start);
                link.Position = Math.Max(link.Position + 1, exception.Available.Start);
            }
            catch (Exception exception)
            {
                LogCatchUpFailed(exception, _partition, link.Source, link.Position);
                await Task.Delay(200);
            }
        }

        link.IsCatchingUp = false;
    }

    private EdgeOutbox EdgeOf(SiloAddress address)
    {
        if (!_delivery.Edges.TryGetValue(address, out var edge))
        {
            edge = new(address, edgeServices.Of(address), _partition, _generation, edgeServices.IsDead, logger)
            {
                Relieved = relieved => _delivery.Pump(relieved, _sessions.All),
                Died = EndAll,
                Superseded = DeactivateOnIdle,
            };
            _delivery.Edges.Add(address, edge);
        }

        return edge;
    }

    private void Subscribe(Session session, Subscription request, byte maximumQoS, SubscriptionStart start)
    {
        if (!session.Subscriptions.TryGetValue(request.Filter, out var subscription))
        {
            if (!_delivery.Filters.TryGet(request.Filter, out var subscribers))
            {
                subscribers = new(request.Filter);
                _delivery.Filters.Set(request.Filter, subscribers);
                GrainInstruments.Filters.Add(1);
                ForEachReached(request.Filter, link => link.Add(request.Filter));
            }

            subscription = new(session, subscribers) { Start = start };
            subscribers.Add(subscription);
            session.Subscriptions.Add(request.Filter, subscription);
        }

        (subscription.MaximumQoS, subscription.NoLocal) = (maximumQoS, request.NoLocal);
    }

    private void Remove(SessionSubscription subscription)
    {
        var subscribers = subscription.Subscribers;
        subscribers.Remove(subscription);
        if (subscribers.Count == 0)
        {
            _delivery.Filters.Remove(subscribers.Filter);
            GrainInstruments.Filters.Add(-1);
            ForEachReached(subscribers.Filter, link => link.Remove(subscribers.Filter));
        }
    }

    private void End(Session session)
    {
        session.IsEnded = true;
        _sessions.Remove(session);
        foreach (var subscription in session.Subscriptions.Values)
        {
            Remove(subscription);
        }

        TellRouters();
    }

    private void EndAll(EdgeOutbox edge)
    {
        foreach (var session in _sessions.All.Where(session => session.Edge == edge).ToArray())
        {
            End(session);
        }

        _delivery.Edges.Remove(edge.Edge);
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

    private string[] FiltersOf(RouterLink link) =>
        [.. _delivery.Filters.Entries.Where(entry => routes.Reaches(entry.Filter, link.Source.Topic)).Select(entry => entry.Filter)];

    private void TellRouters()
    {
        foreach (var link in _links)
        {
            if (link.HasChanges)
            {
                link.UpdateAsync().Ignore();
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Session partition {SessionPartition} reads {Source} from {From} to {To} from the log itself")]
    private partial void LogCatchUp(int sessionPartition, TopicPartitionId source, long from, long to);

    [LoggerMessage(Level = LogLevel.Error, Message = "Session partition {SessionPartition} lost {Source} from {From} to {Start}: the log does not hold it any more")]
    private partial void LogLost(int sessionPartition, TopicPartitionId source, long from, long start);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Session partition {SessionPartition} could not read {Source} at {Offset}; it tries again")]
    private partial void LogCatchUpFailed(Exception exception, int sessionPartition, TopicPartitionId source, long offset);
}
