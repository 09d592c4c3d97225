namespace OrleansMqtt.Edge.Redirecting;

/// <summary>
/// Notices that this process did not run for a while (it was stopped, or its machine was): others may have taken it for dead, and its clients may be connected elsewhere. Then nothing
/// that their sockets still hold may be published. Asked before each publish is handed over, so whoever wakes up first notices.
/// </summary>
internal sealed class FreezeGuard(TimeProvider time, TimeSpan limit)
{
    private long _lastBeat = time.GetTimestamp();

    /// <summary>Whether the time since the last beat is beyond the limit.</summary>
    public bool IsFrozen => time.GetElapsedTime(Volatile.Read(ref _lastBeat)) > limit;

    /// <summary>Called several times within the limit.</summary>
    public void Beat() => Volatile.Write(ref _lastBeat, time.GetTimestamp());
}
