namespace OrleansMqtt.Edge.Redirecting;

/// <summary>
/// Turns new clients away while there are more connections than there should be, and tells the other edges meanwhile, so that two full edges do not send clients to each other. It ends when a
/// twentieth of them have gone, and not with each one.
/// </summary>
/// <param name="limit">From so many on new clients are turned away; 0 is never.</param>
/// <param name="directory">The other edges; null without a cluster.</param>
internal sealed class LoadShedding(int limit, IEdgeDirectory? directory)
{
    private readonly int _low = limit - Math.Max(1, limit / 20);
    private readonly Lock _lock = new();
    private volatile bool _isFull;

    /// <summary>Whether a client is turned away.</summary>
    /// <param name="connections">How many there are, with its own.</param>
    public bool Applies(int connections) => limit > 0 && connections > limit;

    /// <summary>A connection has come, or gone.</summary>
    /// <param name="connections">How many there are now: read here, because threads come here in another order than they have counted.</param>
    public void Note(ref int connections)
    {
        if (limit == 0 || directory is null || !HasTurned(Volatile.Read(ref connections)))
        {
            return;
        }

        lock (_lock)
        {
            while (HasTurned(Volatile.Read(ref connections)))
            {
                directory.SetFull(_isFull = !_isFull);

                // Who counts after the next look sees the change, and who counted before is seen by it.
                Interlocked.MemoryBarrier();
            }
        }
    }

    private bool HasTurned(int connections) => _isFull ? connections <= _low : connections >= limit;
}
