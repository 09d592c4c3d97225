using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Concurrency;
using OrleansMqtt.Log;
using OrleansMqtt.Storage.Kafka;
using OrleansMqtt.Streams.Kafka;

namespace OrleansMqtt.Grains;

[PartitionPlacement(MovesLast = true), Reentrant, KeepAlive]
internal sealed partial class SessionPartitionGrain(
    IMessageLog log,
    RecordCodec codec,
    TopicRoutes routes,
    SessionPartitions partitions,
    EdgeServices edgeServices,
    MessageEncoder encoder,
    RetainedPartitions retainedPartitions,
    StoredMessages stored,
    TopicIdentities identities,
    [FromKeyedServices(ClientTime.Key)] TimeProvider time,
    IOptions<SessionsOptions> options,
    ILogger<SessionPartitionGrain> logger) : Grain, ISessionPartitionGrain, ISessionOwnerGrain
{
    private static readonly TimeSpan CheckpointPeriod = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan DuePeriod = TimeSpan.FromMilliseconds(250);
    private readonly SessionTable _sessions = new();
    private readonly StoredStates _states = new();
    private readonly DueQueue _due = new();
    private readonly MessageDecoder _decoder = new(codec, routes);
    private readonly SubscriptionTable _subscriptions = new(routes);
    private readonly Dictionary<TopicPartitionId, RouterLink> _linksBySource = [];
    private PartitionStore _partitionStore = null!;
    private SourceNumbers _sources = null!;
    private SessionStore _store = null!;
    private SessionSender _sender = null!;
    private SessionDelivery _delivery = null!;
    private RetainedDelivery _retained = null!;
    private RouterLink[] _links = [];
    private int _partition;
    private long _generation;
    private long _lastCounter;
    private int _asked;
    private readonly TaskCompletionSource _handedOver = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _hasMatchedBefore = true;
    private bool _beginsAgain;

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _partition = (int)this.GetPrimaryKeyLong();
        SessionLoader loader = new(logger);
        var id = partitions.Of(_partition);
        var start = time.GetTimestamp();
        _partitionStore = await PartitionStore.OpenAsync(log, id, $"{id.Topic}-{id.Partition}", loader.Add, logger, cancellationToken);
        DeactivateWhenFenced().Ignore();
        await Recover(loader, cancellationToken);
        LogBegun(_partition, time.GetElapsedTime(start).TotalMilliseconds);
        this.RegisterGrainTimer(Checkpoint, new() { DueTime = CheckpointPeriod, Period = CheckpointPeriod, Interleave = true, KeepAlive = true });
        this.RegisterGrainTimer(AskDue, new() { DueTime = DuePeriod, Period = DuePeriod, Interleave = true, KeepAlive = true });
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        if (_partitionStore is null)
        {
            return;
        }

        var start = time.GetTimestamp();
        if (_store is not null)
        {
            await Checkpoint(cancellationToken);
        }

        var stored = time.GetElapsedTime(start);
        _sessions.Close();
        await _partitionStore.DisposeAsync();
        LogLeft(_partition, stored.TotalMilliseconds, time.GetElapsedTime(start).TotalMilliseconds);
        _handedOver.TrySetException(new ObjectDisposedException(nameof(SessionPartitionGrain)));
        _handedOver.Task.Ignore();
    }

    public ValueTask<StoredState> ReadState(string key) => _states.ReadAsync(key);

    public async ValueTask<StateChange> WriteState(string key, ReadOnlyMemory<byte> value, string? etag)
    {
        // What edges hand over is stored together with it.
        await _handedOver.Task;
        var session = _sessions.Find(key) is { IsDurable: true } durable ? durable : null;
        List<StoreRecord> together = [];
        try
        {
            return await _states.WriteAsync(
                _partitionStore,
                key,
                value,
                etag,
                () =>
                {
                    // What was matched with the subscriptions up to now is stored together with their change, so that a replay never uses newer ones for older messages.
                    if (session is { IsDurable: true, IsEnded: false })
                    {
                        _store.AddSession(session, together);
                        _store.AddPositionsOfFirst(together);
                    }

                    return together;
                },
                results => SessionStore.NoteStored(together, results, session is null ? [] : [session]));
        }
        catch when (session is not null)
        {
            _store.NoteRefused(session);
            throw;
        }
    }

    public async ValueTask<StateChange> ClearState(string key, string? etag)
    {
        // The end of a session is told to the routers, who would count from then on without the filters of connections that are not handed over yet.
        await _handedOver.Task;
        return await _states.ClearAsync(_partitionStore, key, etag, () =>
        {
            List<StoreRecord> together = [];
            if (_sessions.Find(key) is { } session)
            {
                _store.AddRemoval(session, together);
                Remove(session);
            }

            return together;
        });
    }

    public async ValueTask<ConnectResult?> AttachNew(string clientId, ConnectRequest request, uint expirySeconds)
    {
        await _handedOver.Task;
        return _sessions.Find(clientId) is null ? Attach(Create(clientId), request, expirySeconds, isNew: true) : null;
    }

    public async ValueTask<ConnectResult> Attach(string clientId, ConnectRequest request, uint expirySeconds)
    {
        await _handedOver.Task;
        return Attach(_sessions.Find(clientId) ?? Create(clientId), request, expirySeconds, isNew: false);
    }

    public async ValueTask<bool> Start(string clientId, ConnectionEpoch epoch)
    {
        await _handedOver.Task;
        if (_sessions.Find(clientId, epoch) is not { Edge: not null } session)
        {
            return false;
        }

        session.Start();
        _memberships.Connected(session);
        _sender.Pump(session);
        _sender.Flush();
        return true;
    }

    public async ValueTask<LivingConnection?> Seize(string clientId)
    {
        await _handedOver.Task;
        if (_sessions.Find(clientId) is not { Edge: { } edge } session)
        {
            return null;
        }

        LivingConnection living = new(edge.Edge, session.ConnectionId);
        session.Seize(NextEpoch());
        _memberships.Disconnected(session);
        return living;
    }

    public async ValueTask Detach(string clientId, ConnectionEpoch epoch, string edge, long dueAt)
    {
        await _handedOver.Task;
        if (_sessions.Find(clientId, epoch) is { } session)
        {
            _store.NotePresence(session, isConnected: false, Now, edge);
            session.Detach(epoch);
            _memberships.Disconnected(session);
            _due.Set(session, dueAt);
        }
    }

    public ValueTask SetDue(string clientId, long dueAt)
    {
        if (_sessions.Find(clientId) is { Edge: null } session)
        {
            _due.Set(session, dueAt);
        }

        return ValueTask.CompletedTask;
    }

    public async ValueTask End(string clientId)
    {
        await _handedOver.Task;
        if (_sessions.Find(clientId) is { } session)
        {
            Remove(session);
        }
    }

    public async ValueTask<bool> IsLiving(string clientId, ConnectionEpoch epoch)
    {
        await _handedOver.Task;
        return _sessions.Find(clientId, epoch) is { Edge: not null };
    }

    public async ValueTask<ConnectResult?> FindLiving(string clientId, SiloAddress edge, long connectionId)
    {
        await _handedOver.Task;
        return _sessions.Find(clientId) is { Edge: { } living } session && living.Edge.Equals(edge) && session.ConnectionId == connectionId
            ? new(session.Epoch, SessionPresent: true, _partition, session.Slot, SessionExpirySeconds: 0)
            : null;
    }

    public async ValueTask Serve() => await _handedOver.Task;

    public async ValueTask PublishWill(string clientId, ConnectionEpoch epoch, MqttMessage will)
    {
        await _handedOver.Task;
        if (_sessions.Find(clientId) is not { } session || session.WillPublished == epoch)
        {
            return;
        }

        session.WillPublished = epoch;
        List<StoreRecord> records = [];
        encoder.Add(will, records);
        _store.AddSession(session, records);
        try
        {
            await _store.CommitAsync(records, [session]);
            GrainInstruments.Wills.Add(1);
        }
        catch (ArgumentException exception)
        {
            LogWillRefused(exception, clientId);
        }
    }

    public ValueTask Acknowledge(AcknowledgementBatch batch)
    {
        if (batch.Generation < _generation)
        {
            // Counted in what its edge has handed over, or is going to.
            return ValueTask.CompletedTask;
        }

        if (!_handedOver.Task.IsCompleted)
        {
            return AcknowledgeWhenHandedOver(batch);
        }

        foreach (var acknowledgement in batch.Items)
        {
            if (_sessions.FindAcknowledging(acknowledgement.SessionSlot, acknowledgement.Epoch) is not { } session)
            {
                continue;
            }

            if (acknowledgement.Kind != AcknowledgementKind.Written)
            {
                _sender.Acknowledge(session, acknowledgement);
            }
            else if (session.Edge is not null)
            {
                _retained.OnWritten(session);
            }
        }

        _sender.Flush();
        return ValueTask.CompletedTask;
    }

    public ValueTask Route(RoutedBatch batch)
    {
        if (batch.TargetGeneration != _generation)
        {
            return ValueTask.CompletedTask;
        }

        var link = _linksBySource[batch.Source];
        if (link.IsCatchingUp || batch.From > link.Position)
        {
            link.Kept.Add(batch);
            if (!IsNoneBefore(link))
            {
                CatchUpTo(link, link.Kept.From ?? batch.To);
            }
        }
        else if (batch.To > link.Position)
        {
            Deliver(link, batch);
        }

        return ValueTask.CompletedTask;
    }

    public ValueTask RequestFilters(TopicPartitionId router, long routerGeneration)
    {
        if (_linksBySource.TryGetValue(router, out var link))
        {
            link.RouterStarted(routerGeneration);
            if (_handedOver.Task.IsCompleted)
            {
                link.UpdateAsync().Ignore();
            }
        }

        return ValueTask.CompletedTask;
    }

    private async ValueTask AcknowledgeWhenHandedOver(AcknowledgementBatch batch)
    {
        await _handedOver.Task;
        await Acknowledge(batch);
    }

    private Session Create(string clientId)
    {
        Session session = new(clientId, _sessions.TakeSlot());
        _sessions.Add(session);
        return session;
    }

    private ConnectResult Attach(Session session, ConnectRequest request, uint expirySeconds, bool isNew)
    {
        var maximumInflight = Math.Min(request.ReceiveMaximum, options.Value.MaximumInflight);
        _sessions.EndContinued(session);
        session.Attach(EdgeOf(request.Edge), request.ConnectionId, NextEpoch(), maximumInflight, options.Value.MaximumInflightBytes);
        _store.SetDurable(session, expirySeconds > 0);
        _due.Clear(session);
        _store.NotePresence(session, isConnected: true, Now, request.Edge.ToParsableString());
        if (isNew)
        {
            session.Start();
        }

        return new(session.Epoch, SessionPresent: !isNew, _partition, session.Slot, expirySeconds);
    }

    private ConnectionEpoch NextEpoch() => new(_generation, ++_lastCounter);

    private EdgeOutbox EdgeOf(SiloAddress address)
    {
        if (!_sender.Edges.TryGetValue(address, out var edge))
        {
            edge = new(address, edgeServices.Of(address), _partition, _generation, edgeServices.IsDead, logger)
            {
                Relieved = relieved => _sender.Pump(relieved, _sessions.All),
                Died = LoseAll,
                Superseded = DeactivateOnIdle,
            };
            _sender.Edges.Add(address, edge);
        }

        return edge;
    }

    private void Remove(Session session)
    {
        session.IsEnded = true;
        if (session.HasDeliveryRecord)
        {
            List<StoreRecord> records = [];
            _store.AddRemoval(session, records);
            _store.CommitAsync(records).Ignore();
        }

        _due.Clear(session);
        _store.SetDurable(session, false);
        _store.NoteEnd(session, Now);
        _sessions.Remove(session);
        _subscriptions.RemoveAll(session);
        _subscriptions.TellRouters();
        _memberships.Ended(session);
    }

    private void LoseAll(EdgeOutbox edge)
    {
        if (!_sender.Edges.Remove(edge.Edge))
        {
            return;
        }

        LogDeadEdge(edge.Edge, _partition);
        edge.Abandon();
        Lose([.. _sessions.All.Where(session => session.Edge == edge).Select(session => (session.ClientId, session.Epoch))]).Ignore();
    }

    private async Task Checkpoint(CancellationToken cancellationToken)
    {
        CheckTopics();
        try
        {
            await _store.CheckpointAsync().WaitAsync(cancellationToken);
        }
        catch (Exception exception) when (exception is OwnerFencedException or ObjectDisposedException or OperationCanceledException)
        {
            // A later owner stores from now on.
        }
        catch (Exception exception)
        {
            LogCheckpointFailed(exception, _partition);
        }
    }

    private async Task DeactivateWhenFenced()
    {
        await _partitionStore.Fenced;
        await BeginAgain();
    }

    private async Task BeginAgain()
    {
        DeactivateOnIdle();

        // The call reaches the next activation: clients that neither send nor get anything would else stay with an owner that is none.
        await GrainFactory.GetGrain<ISessionOwnerGrain>(_partition).Serve();
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Session partition {SessionPartition} begins here after {Begun:F0} ms, and asks the edges for its connections")]
    private partial void LogBegun(int sessionPartition, double begun);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Session partition {SessionPartition} has left, stored after {Stored:F0} ms and closed after {Closed:F0} ms")]
    private partial void LogLeft(int sessionPartition, double stored, double closed);

    [LoggerMessage(Level = LogLevel.Error, Message = "The log refuses the will of client {ClientId}: it is not published")]
    private partial void LogWillRefused(Exception exception, string clientId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Edge {Edge} is dead; session partition {SessionPartition} ends its connections")]
    private partial void LogDeadEdge(SiloAddress edge, int sessionPartition);

    [LoggerMessage(Level = LogLevel.Error, Message = "Session partition {SessionPartition} could not store its changes")]
    private partial void LogCheckpointFailed(Exception exception, int sessionPartition);
}
