using System.Diagnostics;

namespace OrleansMqtt;

/// <summary>
/// Has whoever sends one batch at a time wait a moment before the next: in a small batch the call costs more than what is in it. At a low rate nothing waits, nor does what somebody
/// waits for. One thread at a time sends; any may note.
/// </summary>
public sealed class BatchGathering
{
    private const double BusyPerSecond = 2000;
    private const int SmallBatch = 64;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(2);

    private long _lastSent = Stopwatch.GetTimestamp();
    private volatile bool _isAwaited;
    private bool _isSentAwaited;

    /// <summary>Whether a client that takes so many messages at a time would be held up: it soon has nothing to do until its acknowledgements have arrived, so they do not wait.</summary>
    public static bool IsHeldUp(int receiveMaximum) => receiveMaximum < SmallBatch;

    /// <summary>Something for the next batch is awaited.</summary>
    public void NoteAwaited() => _isAwaited = true;

    /// <summary>What was noted belongs to the batch that is sent now.</summary>
    public void Begin() => (_isSentAwaited, _isAwaited) = (_isAwaited, false);

    /// <summary>A batch was sent: waits for 2 ms before the next, if that is worthwhile and neither is awaited.</summary>
    public Task PauseAsync(int count)
    {
        var elapsed = Stopwatch.GetElapsedTime(_lastSent);
        _lastSent = Stopwatch.GetTimestamp();
        var isWorthwhile = count < SmallBatch && count > BusyPerSecond * elapsed.TotalSeconds;
        return isWorthwhile && !_isSentAwaited && !_isAwaited ? Task.Delay(Pause) : Task.CompletedTask;
    }
}
