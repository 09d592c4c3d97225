namespace OrleansMqtt.Grains;

/// <summary>
/// Sessions without a connection, by when their will or their end is due. A session stands in it once for each time it was given; only the last counts, and those that do not
/// count any more are let go when they are the most.
/// </summary>
internal sealed class DueQueue
{
    private const int KeptEntries = 1024;
    private readonly PriorityQueue<Session, long> _queue = new();
    private int _due;

    /// <summary>The entries that are kept, those that do not count any more among them.</summary>
    public int Count => _queue.Count;

    /// <param name="session">The session.</param>
    /// <param name="dueAt">Milliseconds since the Unix epoch; <see cref="long.MaxValue"/> for never.</param>
    public void Set(Session session, long dueAt)
    {
        Clear(session);
        if (dueAt is 0 or long.MaxValue)
        {
            return;
        }

        session.DueAt = dueAt;
        _due++;
        _queue.Enqueue(session, dueAt);
        if (_queue.Count > KeptEntries && _queue.Count / 2 > _due)
        {
            // A client that comes and goes leaves an entry each time, which would stay until it is due: for days.
            var counting = _queue.UnorderedItems.Where(static entry => entry.Element.DueAt == entry.Priority).DistinctBy(static entry => entry.Element).ToArray();
            _queue.Clear();
            _queue.EnqueueRange(counting);
        }
    }

    public void Clear(Session session)
    {
        _due -= session.DueAt != 0 ? 1 : 0;
        session.DueAt = 0;
    }

    /// <summary>The next session that is due; it is not due any more then.</summary>
    public bool TryTake(long now, out Session session)
    {
        while (_queue.TryPeek(out session!, out var dueAt) && dueAt <= now)
        {
            _queue.Dequeue();
            if (session.DueAt == dueAt)
            {
                Clear(session);
                return true;
            }
        }

        return false;
    }
}
