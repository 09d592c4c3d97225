namespace OrleansMqtt.Grains;

/// <summary>Sessions without a connection, by when their will or their end is due. A session stands in it once for each time it was given; only the last counts.</summary>
internal sealed class DueQueue
{
    private readonly PriorityQueue<Session, long> _queue = new();

    /// <param name="session">The session.</param>
    /// <param name="dueAt">Milliseconds since the Unix epoch; <see cref="long.MaxValue"/> for never.</param>
    public void Set(Session session, long dueAt)
    {
        session.DueAt = dueAt == long.MaxValue ? 0 : dueAt;
        if (session.DueAt != 0)
        {
            _queue.Enqueue(session, dueAt);
        }
    }

    public static void Clear(Session session) => session.DueAt = 0;

    /// <summary>The next session that is due; it is not due any more then.</summary>
    public bool TryTake(long now, out Session session)
    {
        while (_queue.TryPeek(out session!, out var dueAt) && dueAt <= now)
        {
            _queue.Dequeue();
            if (session.DueAt == dueAt && !session.IsEnded)
            {
                session.DueAt = 0;
                return true;
            }
        }

        return false;
    }
}
