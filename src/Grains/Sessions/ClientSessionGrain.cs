using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OrleansMqtt.Streams.Kafka;

namespace OrleansMqtt.Grains;

[PartitionPlacement, CollectionAgeLimit(Minutes = 2)]
internal sealed partial class ClientSessionGrain(
    [PersistentState("session", SessionStorage.Name)] IPersistentState<SessionRecord> state,
    SessionPartitions partitions,
    EdgeServices edges,
    [FromKeyedServices(ClientTime.Key)] TimeProvider time,
    IOptions<SessionsOptions> options,
    ILogger<ClientSessionGrain> logger) : Grain, IClientSessionGrain, ISessionLifetimeGrain, IIncomingGrainCallFilter
{
    /// <summary>How many owners a session may get while it is connected.</summary>
    private const int MostOwners = 5;

    private string _clientId = null!;
    private ISessionOwnerGrain _owner = null!;

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Whether the session outlives its connection, and so is stored.</summary>
    private bool IsDurable => state.RecordExists && state.State.ExpirySeconds > 0;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _clientId = this.GetPrimaryKeyString();
        _owner = GrainFactory.GetGrain<ISessionOwnerGrain>(partitions.Of(_clientId).Partition);
        return Task.CompletedTask;
    }

    /// <summary>After a call that failed, as while the log is away, the state here may not be what is stored: the next call begins with that.</summary>
    public async Task Invoke(IIncomingGrainCallContext context)
    {
        try
        {
            await context.Invoke();
        }
        catch
        {
            DeactivateOnIdle();
            throw;
        }
    }

    public async ValueTask<ConnectResult> Connect(ConnectRequest request)
    {
        var expirySeconds = Math.Min(request.SessionExpirySeconds, options.Value.MaximumExpirySeconds);
        if (IsRecorded(request) && await _owner.FindLiving(_clientId, request.Edge, request.ConnectionId) is { } told && told.Epoch == state.State.Epoch)
        {
            await _owner.Start(_clientId, told.Epoch);
            return WithSystemSubscriptions(told with { SessionPresent = !state.State.IsFirstConnection, SessionExpirySeconds = expirySeconds });
        }

        var result = state.RecordExists ? null : await _owner.AttachNew(_clientId, request, expirySeconds);
        result ??= await EndPrevious(request) ? await _owner.Attach(_clientId, request, expirySeconds) : await AttachNew(request, expirySeconds);
        if (expirySeconds > 0 || request.Will is not null || state.RecordExists)
        {
            await StoreConnection(request, expirySeconds, result);
            for (var attempt = 0; !await _owner.Start(_clientId, result.Epoch); attempt++)
            {
                if (attempt == MostOwners)
                {
                    throw new InvalidOperationException($"The session of client '{_clientId}' had {MostOwners} owners while it was connected.");
                }

                // Another owner, who came between, does not have this connection.
                result = result.SessionPresent ? await _owner.Attach(_clientId, request, expirySeconds) : await AttachNew(request, expirySeconds);
                await StoreConnection(request, expirySeconds, result);
            }
        }

        return WithSystemSubscriptions(result);
    }

    public async ValueTask<SubscribeResult> Subscribe(ConnectionEpoch epoch, Subscription[] subscriptions)
    {
        if (await _owner.Subscribe(_clientId, epoch, subscriptions) is not { } outcome)
        {
            return new(ReasonCodes: null);
        }

        if (IsDurable)
        {
            var stored = state.State.Subscriptions;
            foreach (var (subscription, code) in subscriptions.Zip(outcome.ReasonCodes))
            {
                if (code >= 0x80)
                {
                    continue;
                }

                var index = stored.FindIndex(each => each.Subscription.Filter == subscription.Filter);
                if (index < 0)
                {
                    stored.Add(new(subscription, outcome.Starts));
                }
                else
                {
                    // It counts from where it did.
                    stored[index] = new(subscription, stored[index].Starts);
                }
            }

            await state.WriteStateAsync();
        }

        return new(outcome.ReasonCodes, outcome.Starts);
    }

    public async ValueTask<UnsubscribeResult> Unsubscribe(ConnectionEpoch epoch, string[] filters)
    {
        var result = await _owner.Unsubscribe(_clientId, epoch, filters);
        if (result.Existed is not null && state.RecordExists && state.State.Subscriptions.RemoveAll(each => filters.Contains(each.Subscription.Filter)) > 0)
        {
            await state.WriteStateAsync();
        }

        return result;
    }

    public async ValueTask Disconnect(ConnectionEpoch epoch, DisconnectNotice notice)
    {
        if (await _owner.IsLiving(_clientId, epoch))
        {
            await EndConnection(epoch, notice);
        }
    }

    public async ValueTask Abandon(SiloAddress edge, long connectionId)
    {
        DisconnectNotice lost = new(DisconnectCause.ConnectionLost, SessionExpirySeconds: null);
        if (await _owner.FindLiving(_clientId, edge, connectionId) is { } living)
        {
            await EndConnection(living.Epoch, lost);
        }
        else if (state.RecordExists && state.State is { Edge: { } earlier } session
            && await _owner.FindLiving(_clientId, SiloAddress.FromParsableString(earlier), session.ConnectionId) is null)
        {
            // It came as far as to take the session from the connection before.
            await EndConnection(session.Epoch, lost);
            if (state.RecordExists)
            {
                await _owner.SetDue(_clientId, state.State.DueAt);
            }
        }
    }

    public async ValueTask OnLost(ConnectionEpoch epoch)
    {
        DisconnectNotice lost = new(DisconnectCause.ConnectionLost, SessionExpirySeconds: null);
        if (await _owner.IsLiving(_clientId, epoch))
        {
            await EndConnection(epoch, lost);
        }
        else if (state.RecordExists && state.State.IsConnected && state.State.Epoch == epoch)
        {
            // The connection of an earlier owner of the partition. Its edge may be alive, and not know.
            if (SiloAddress.FromParsableString(state.State.Edge!) is var edge && !edges.IsDead(edge))
            {
                await CloseTakenOver(edge, state.State.ConnectionId);
            }

            await EndConnection(epoch, lost);
        }
    }

    public async ValueTask OnDue()
    {
        if (!state.RecordExists || state.State.IsConnected)
        {
            return;
        }

        var session = state.State;
        if (session.WillDueAt <= Now)
        {
            await PublishWill(session);
        }

        if (session.ExpiresAt <= Now)
        {
            await state.ClearStateAsync();
            GrainInstruments.Expired.Add(1);
            LogExpired(_clientId);
        }
        else
        {
            await _owner.SetDue(_clientId, session.DueAt);
        }
    }

    private ConnectResult WithSystemSubscriptions(ConnectResult result) =>
        result.SessionPresent && Array.FindAll([.. state.State.Subscriptions.Select(static each => each.Subscription)], IsSystem) is { Length: > 0 } subscriptions
            ? result with { SystemSubscriptions = subscriptions }
            : result;

    /// <summary>Whether it is asked again, and had come as far as into the record.</summary>
    private bool IsRecorded(ConnectRequest request) => state.RecordExists && state.State.IsConnectedBy(request.Edge, request.ConnectionId);

    private Task StoreConnection(ConnectRequest request, uint expirySeconds, ConnectResult result)
    {
        var session = state.State;
        (session.ExpirySeconds, session.Will) = (expirySeconds, request.Will);
        (session.Epoch, session.Edge, session.ConnectionId) = (result.Epoch, request.Edge.ToParsableString(), request.ConnectionId);
        session.IsFirstConnection = !result.SessionPresent;
        return state.WriteStateAsync();
    }

    private static bool IsSystem(Subscription subscription) => subscription.Filter.StartsWith("$SYS/", StringComparison.Ordinal);

    private async Task EndConnection(ConnectionEpoch epoch, DisconnectNotice notice)
    {
        if (!state.RecordExists)
        {
            // A clean session without a will.
            await _owner.End(_clientId);
            return;
        }

        var session = state.State;
        var edge = session.Edge ?? "";
        MarkDisconnected(session, notice);
        if (session.WillDueAt <= Now)
        {
            await PublishWill(session);
        }

        if (session.ExpiresAt <= Now)
        {
            await state.ClearStateAsync();
        }
        else
        {
            await _owner.Detach(_clientId, epoch, edge, session.DueAt);
            await state.WriteStateAsync();
        }
    }

    /// <summary>Attaches a session that has just begun. Where the partition moves between, its new owner may have gone on with the connection that was ended.</summary>
    private async Task<ConnectResult> AttachNew(ConnectRequest request, uint expirySeconds)
    {
        if (await _owner.AttachNew(_clientId, request, expirySeconds) is { } attached)
        {
            return attached;
        }

        await _owner.End(_clientId);
        return await _owner.AttachNew(_clientId, request, expirySeconds) ?? throw new InvalidOperationException($"The session of client '{_clientId}' was not ended.");
    }

    /// <summary>Closes the connection that the session was taken from, if it had one, and ends the session unless it goes on with the next.</summary>
    /// <returns>Whether it goes on.</returns>
    private async Task<bool> EndPrevious(ConnectRequest request)
    {
        var living = await _owner.Seize(_clientId);
        if (living is null && state is { RecordExists: true, State.Edge: { } edge })
        {
            // It was seized before, by a call that failed then.
            living = new(SiloAddress.FromParsableString(edge), state.State.ConnectionId);
        }

        var ended = living is null || living == new LivingConnection(request.Edge, request.ConnectionId) ? null : await CloseTakenOver(living.Edge, living.ConnectionId);

        if (!state.RecordExists)
        {
            await _owner.End(_clientId);
            return false;
        }

        var session = state.State;
        if (IsRecorded(request))
        {
            return !session.IsFirstConnection;
        }

        if (session.IsConnected)
        {
            MarkDisconnected(session, ended ?? new(DisconnectCause.ConnectionLost, SessionExpirySeconds: null));
        }

        // A will whose delay is not over is cancelled by a connection that goes on with the session ([MQTT-3.1.3-9]), and published when the session ends.
        var goesOn = !request.CleanStart && session.ExpiresAt > Now;
        if (session.Will is not null && (!goesOn || session.WillDueAt <= Now))
        {
            await PublishWill(session);
        }

        if (!goesOn)
        {
            await state.ClearStateAsync();
        }

        return goesOn;
    }

    private void MarkDisconnected(SessionRecord session, DisconnectNotice notice)
    {
        (session.Edge, session.DisconnectedAt) = (null, Now);
        if (notice.SessionExpirySeconds is { } changed && session.ExpirySeconds > 0)
        {
            session.ExpirySeconds = Math.Min(changed, options.Value.MaximumExpirySeconds);
        }

        if (notice.Cause == DisconnectCause.Normal)
        {
            // [MQTT-3.1.2-10]
            session.Will = null;
        }
    }

    private async Task PublishWill(SessionRecord session)
    {
        var will = session.Will!.Message;
        await _owner.PublishWill(_clientId, session.Epoch, will.At(Now));
        session.Will = null;
    }

    /// <returns>How the connection had ended by itself; null when it was closed now, or its edge is dead.</returns>
    private Task<DisconnectNotice?> CloseTakenOver(SiloAddress edge, long connectionId) =>
        // What the earlier connection has published must be on the log before the new one may publish; a dead edge publishes nothing any more.
        edges.AskAsync(edge, service => service.CloseTakenOver(connectionId), exception => LogCloseFailed(exception, edge, _clientId));

    [LoggerMessage(Level = LogLevel.Warning, Message = "Edge {Edge} did not close the earlier connection of client {ClientId}; it is asked again")]
    private partial void LogCloseFailed(Exception exception, SiloAddress edge, string clientId);

    [LoggerMessage(Level = LogLevel.Debug, Message = "The session of client {ClientId} has expired")]
    private partial void LogExpired(string clientId);
}
