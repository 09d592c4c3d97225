namespace OrleansMqtt.Grains;

/// <summary>The sessions of a partition by client identifier, and by slot for acknowledgements.</summary>
internal sealed class SessionTable
{
    private readonly Dictionary<string, Session> _byClientId = new(StringComparer.Ordinal);
    private readonly List<Session?> _bySlot = [];
    private readonly Stack<int> _free = [];
    private readonly Dictionary<ConnectionEpoch, Session> _continued = [];

    public IReadOnlyCollection<Session> All => _byClientId.Values;

    /// <summary>The living session of a client with that epoch; null when another connection lives.</summary>
    public Session? Find(string clientId, ConnectionEpoch epoch) => Find(clientId) is { } session && session.Epoch == epoch ? session : null;

    public Session? Find(string clientId) => _byClientId.GetValueOrDefault(clientId);

    public Session? Find(int slot, ConnectionEpoch epoch) => At(slot) is { } session && session.Epoch == epoch ? session : FindContinued(epoch, static session => session.Epoch);

    /// <summary>The session for which an acknowledgement of that connection counts; null when it counts for none.</summary>
    public Session? FindAcknowledging(int slot, ConnectionEpoch epoch) =>
        At(slot) is { } session && session.Acknowledging == epoch ? session : FindContinued(epoch, static session => session.Acknowledging);

    /// <summary>A session that goes on with a connection of an earlier owner: its edge knows it by the slot that it had there.</summary>
    public void Continue(Session session)
    {
        EndContinued(session);
        session.ContinuedEpoch = session.Epoch;
        _continued[session.Epoch] = session;
    }

    /// <summary>That connection is over.</summary>
    public void EndContinued(Session session)
    {
        if (session.ContinuedEpoch is { } epoch)
        {
            _continued.Remove(epoch);
            session.ContinuedEpoch = null;
        }
    }

    public int TakeSlot()
    {
        if (_free.TryPop(out var slot))
        {
            return slot;
        }

        _bySlot.Add(null);
        return _bySlot.Count - 1;
    }

    public void Add(Session session)
    {
        _byClientId.Add(session.ClientId, session);
        _bySlot[session.Slot] = session;
        GrainInstruments.Sessions.Add(1);
    }

    public void Remove(Session session)
    {
        _byClientId.Remove(session.ClientId);
        _bySlot[session.Slot] = null;
        EndContinued(session);
        _free.Push(session.Slot);
        GrainInstruments.Sessions.Add(-1);
        GrainInstruments.Waiting.Add(-session.Mailbox.Count);
    }

    /// <summary>The partition goes to another owner, who counts its sessions from now on.</summary>
    public void Close()
    {
        GrainInstruments.Sessions.Add(-All.Count);
        GrainInstruments.Subscriptions.Add(-All.Sum(static session => session.Subscriptions.Count));
        GrainInstruments.Waiting.Add(-All.Sum(static session => session.Mailbox.Count));
    }

    private Session? At(int slot) => (uint)slot < (uint)_bySlot.Count ? _bySlot[slot] : null;

    private Session? FindContinued(ConnectionEpoch epoch, Func<Session, ConnectionEpoch?> epochOf) =>
        _continued.Count > 0 && _continued.TryGetValue(epoch, out var session) && epochOf(session) == epoch ? session : null;
}
