using System.Diagnostics;

namespace OrleansMqtt;

/// <summary>
/// Tells whoever sends one batch at a time when to wait a moment before the next: in a small batch the call costs more than what is in it. At a low rate nothing waits.
/// </summary>
public sealed class BatchGathering
{
    private const double BusyPerSecond = 2000;
    private const int SmallBatch = 64;

    /// <summary>How long to wait, 2 ms.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(2);

    /// <summary>Whether a client that takes so many messages at a time would be held up: it soon has nothing to do until its acknowledgements have arrived, so they do not wait.</summary>
    public static bool IsHeldUp(int receiveMaximum) => receiveMaximum < SmallBatch;

    private long _lastSent = Stopwatch.GetTimestamp();

    /// <summary>A batch was sent: whether to pause before the next.</summary>
    public bool IsWorthwhile(int count)
    {
        var elapsed = Stopwatch.GetElapsedTime(_lastSent);
        _lastSent = Stopwatch.GetTimestamp();
        return count < SmallBatch && count > BusyPerSecond * elapsed.TotalSeconds;
    }
}
