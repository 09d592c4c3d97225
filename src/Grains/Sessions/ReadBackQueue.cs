namespace OrleansMqtt.Grains;

/// <summary>
/// Sessions whose next message has to be read back from a messages partition. Who has waited longest is served next, and with it everybody whose message lies in the stretch that is
/// read for it: so nobody waits for longer than those before it take, wherever in the log their messages are.
/// </summary>
internal sealed class ReadBackQueue
{
    private readonly List<Session> _waiting = [];

    /// <summary>Adds a session, unless it waits already.</summary>
    public void Add(Session session, long offset)
    {
        if (!session.IsLoading)
        {
            (session.IsLoading, session.WantedOffset) = (true, offset);
            _waiting.Add(session);
        }
    }

    /// <summary>The offset to be read next; null when nobody waits. Sessions that have lost their connection wait no more.</summary>
    public long? Next()
    {
        _waiting.RemoveAll(static session =>
        {
            var isGone = session.IsEnded || (session.Edge is null && session.Group is null);
            session.IsLoading &= !isGone;
            return isGone;
        });
        return _waiting.Count > 0 ? _waiting[0].WantedOffset : null;
    }

    /// <summary>Takes out those whose message lies in a stretch, longest waiting first.</summary>
    public List<Session> TakeCovered(LoadedStretch stretch)
    {
        List<Session> covered = [];
        _waiting.RemoveAll(session =>
        {
            var isCovered = stretch.Covers(session.WantedOffset);
            if (isCovered)
            {
                session.IsLoading = false;
                covered.Add(session);
            }

            return isCovered;
        });
        return covered;
    }
}
