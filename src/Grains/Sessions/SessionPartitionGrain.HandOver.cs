using Microsoft.Extensions.Logging;
using OrleansMqtt.Log;
using OrleansMqtt.Storage.Kafka;

namespace OrleansMqtt.Grains;

// The connections of an earlier owner stay open: their edges hand them over, and until all have, no call about a session is answered and nothing is delivered.
internal sealed partial class SessionPartitionGrain
{
    private async Task TakeConnections(SessionLoader loader, List<(string ClientId, SessionRecord Record)> connected)
    {
        // Outside of the activation.
        await Task.Yield();
        try
        {
            var handedOver = await Task.WhenAll(edgeServices.Living.ToArray().Select(async edge => (Edge: edge, Connections: await AskForConnections(edge))));
            if (Array.Exists(handedOver, static each => each.Connections is null))
            {
                throw new ObjectDisposedException(nameof(SessionPartitionGrain), "A later owner has asked for the connections.");
            }

            HandedOverSessions sessions = new(_sessions, loader, _sources, _subscriptions, _memberships, options.Value);
            var living = connected.ToDictionary(static each => each.ClientId, static each => each.Record, StringComparer.Ordinal);
            List<(SiloAddress Edge, long ConnectionId)> refused = [];
            foreach (var (edge, connections) in handedOver)
            {
                foreach (var connection in connections!)
                {
                    var record = living.GetValueOrDefault(connection.ClientId);
                    if ((connection.Epoch ?? EpochOf(connection, edge, record)) is { } epoch && !sessions.TryTake(connection, epoch, EdgeOf(edge), record?.Epoch))
                    {
                        refused.Add((edge, connection.ConnectionId));
                    }
                }
            }

            await RemoveOrphans(loader);
            GoOn(sessions);
            foreach (var (edge, connectionId) in refused)
            {
                CloseRefused(edge, connectionId).Ignore();
            }

            Lose([.. connected.Select(static each => (each.ClientId, each.Record.Epoch)).Where(each => _sessions.Find(each.ClientId, each.Epoch) is not { Edge: not null })]).Ignore();
        }
        catch (Exception exception)
        {
            LogTakeConnectionsFailed(exception, _partition);
            DeactivateOnIdle();
            _handedOver.TrySetException(exception);
            _handedOver.Task.Ignore();
        }
    }

    /// <summary>The epoch of a connection whose edge has no answer yet: the earlier owner accepted it if the session's record names it. Null when not: the edge asks again.</summary>
    private static ConnectionEpoch? EpochOf(HandedOverConnection connection, SiloAddress edge, SessionRecord? record) =>
        record?.IsConnectedBy(edge, connection.ConnectionId) == true ? record.Epoch : null;

    private void GoOn(HandedOverSessions sessions)
    {
        foreach (var link in _links)
        {
            // Of what is stored only sessions that are need all; without them the log is read from where the others began.
            var needed = _store.DurableSessions > 0 ? 0 : sessions.NeededFrom.Length > 0 ? sessions.NeededFrom[link.Index] : long.MaxValue;
            link.Position = Math.Max(link.Position, Math.Min(needed, link.RecoveredTo));
        }

        if (sessions.Continued.Count > 0)
        {
            LogHandedOver(_partition, sessions.Continued.Count);
        }

        _handedOver.TrySetResult();
        foreach (var link in _links)
        {
            CatchUpTo(link, link.RecoveredTo);
        }

        _subscriptions.TellRouters();
        foreach (var (session, connection) in sessions.Continued)
        {
            foreach (var delivery in connection.Unacknowledged)
            {
                if (delivery.Step == DeliveryStep.Received)
                {
                    _sender.Acknowledge(session, new(session.Slot, session.Epoch, delivery.PacketId, AcknowledgementKind.PubRec, reasonCode: 0));
                }
            }

            _memberships.Connected(session);
            _sender.Pump(session);
        }

        _sender.Flush();
        ForgetMatched();
        _retained.Wake().Ignore();
        StartSharing().Ignore();
    }

    private async Task RemoveOrphans(SessionLoader loader)
    {
        List<StoreRecord> records = [];
        foreach (var clientId in loader.Orphans)
        {
            if (_sessions.Find(clientId) is null)
            {
                loader.AddRemoval(clientId, _partitionStore.Partition.Topic, records);
            }
        }

        await _store.CommitAsync(records);
    }

    /// <returns>None when the edge is dead; null when a later owner has asked.</returns>
    private async Task<HandedOverConnection[]?> AskForConnections(SiloAddress edge)
    {
        // In an array of its own, so that the answer of a dead edge is none, and not that of a later owner.
        HandedOverConnection[]?[]? answer = await edgeServices.AskAsync(
            edge, async service => new[] { await service.HandOver(_partition, _generation) }, exception => LogHandOverFailed(exception, edge, _partition));
        return answer is null ? [] : answer[0];
    }

    private async Task CloseRefused(SiloAddress edge, long connectionId)
    {
        await Task.Yield();
        await edgeServices.AskAsync(edge, service => service.CloseTakenOver(connectionId), exception => LogHandOverFailed(exception, edge, _partition));
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Session partition {SessionPartition} goes on with {Count} living connections")]
    private partial void LogHandedOver(int sessionPartition, int count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Edge {Edge} did not hand over the connections of session partition {SessionPartition}; it is asked again")]
    private partial void LogHandOverFailed(Exception exception, SiloAddress edge, int sessionPartition);

    [LoggerMessage(Level = LogLevel.Error, Message = "Session partition {SessionPartition} could not take the connections of the earlier owner; it begins anew")]
    private partial void LogTakeConnectionsFailed(Exception exception, int sessionPartition);
}
