using Microsoft.Extensions.Logging;
using OrleansMqtt.Storage.Kafka;

namespace OrleansMqtt.Grains;

// What clients publish at QoS 2: the message, and the packet identifier that it came with, in one transaction.
internal sealed partial class SessionPartitionGrain
{
    private readonly Dictionary<SiloAddress, long> _attempts = [];

    public async ValueTask<InboundQoS2Outcome[]> PublishQoS2(InboundQoS2Batch batch)
    {
        await _handedOver.Task;
        if (batch.Generation < _generation || (_attempts.TryGetValue(batch.Edge, out var last) && batch.Sequence <= last))
        {
            // The edge has tried again since, or will.
            throw new InvalidOperationException("The attempt is an earlier one.");
        }

        _attempts[batch.Edge] = batch.Sequence;
        return await StoreQoS2(batch.Items);
    }

    private async ValueTask<InboundQoS2Outcome[]> StoreQoS2(ArraySegment<InboundQoS2> items)
    {
        var outcomes = new InboundQoS2Outcome[items.Count];
        var isNew = new bool[outcomes.Length];
        List<StoreRecord> records = [];
        HashSet<Session> changed = [];
        for (var i = 0; i < outcomes.Length; i++)
        {
            var before = records.Count;
            outcomes[i] = Receive(items[i], records, changed);
            isNew[i] = records.Count > before;
        }

        try
        {
            foreach (var session in changed)
            {
                _store.AddSession(session, records);
            }

            // Without records it waits for the commits before: what is known already may not be durable yet.
            await _store.CommitAsync(records, changed);
            return outcomes;
        }
        catch (ArgumentException exception)
        {
            LogRefused(exception.Message, _partition);
            return await PublishOneByOne(items, isNew, outcomes);
        }
        catch
        {
            // The next attempt is a new one: an identifier without its message on the log may not count as received.
            Forget(items, isNew);
            foreach (var session in changed)
            {
                _store.NoteRefused(session);
            }

            throw;
        }
    }

    /// <summary>Takes one packet of QoS 2: adds its record, and its session to those that changed.</summary>
    private InboundQoS2Outcome Receive(in InboundQoS2 item, List<StoreRecord> records, HashSet<Session> changed)
    {
        if (_sessions.Find(item.SessionSlot, item.Epoch) is not { } session)
        {
            return InboundQoS2Outcome.Stale;
        }

        if (item.Message is { } message)
        {
            if ((session.Received ??= []).Add(item.PacketId))
            {
                encoder.Add(message, records);
                changed.Add(session);
            }

            return InboundQoS2Outcome.Done;
        }

        if (session.Received is { } received && received.Remove(item.PacketId))
        {
            session.Received = received.Count == 0 ? null : received;
            changed.Add(session);
            return InboundQoS2Outcome.Done;
        }

        return InboundQoS2Outcome.NotFound;
    }

    private void Forget(ArraySegment<InboundQoS2> items, bool[] isNew)
    {
        for (var i = 0; i < isNew.Length; i++)
        {
            if (isNew[i])
            {
                _sessions.Find(items[i].SessionSlot, items[i].Epoch)?.Received?.Remove(items[i].PacketId);
            }
        }
    }

    /// <summary>The log does not take one of the records, ever (it is too large): nothing of the batch was stored, and the others must not suffer.</summary>
    private async Task<InboundQoS2Outcome[]> PublishOneByOne(ArraySegment<InboundQoS2> items, bool[] isNew, InboundQoS2Outcome[] outcomes)
    {
        HashSet<Session> changed = [];
        for (var i = 0; i < outcomes.Length; i++)
        {
            var item = items[i];
            if (_sessions.Find(item.SessionSlot, item.Epoch) is not { } session)
            {
                outcomes[i] = InboundQoS2Outcome.Stale;
                continue;
            }

            changed.Add(session);
            if (item.Message is null || isNew[i])
            {
                session.Received?.Remove(item.PacketId);
            }

            // An identifier from before the batch has its message on the log.
            if (isNew[i])
            {
                outcomes[i] = items.Count == 1 ? InboundQoS2Outcome.NotStored : (await StoreQoS2(new([item])))[0];
            }
        }

        // Identifiers that were released in it.
        List<StoreRecord> records = [];
        foreach (var session in changed)
        {
            _store.AddSession(session, records);
        }

        await _store.CommitAsync(records, changed);
        return outcomes;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Session partition {SessionPartition} has a QoS 2 message that the log does not take ({Reason})")]
    private partial void LogRefused(string reason, int sessionPartition);
}
