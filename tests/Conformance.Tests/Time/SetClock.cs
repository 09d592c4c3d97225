using System.Diagnostics;

namespace OrleansMqtt.Conformance.Tests.Time;

/// <summary>
/// A clock that stands still until a test sets it forward. Timers run as ever, so that whatever is due by the clock is done within their periods. What is measured between two moments
/// runs as ever too, and a test may set it forward.
/// </summary>
internal sealed class SetClock : TimeProvider
{
    private long _now = DateTimeOffset.UtcNow.UtcTicks;
    private long _elapsed;

    public override DateTimeOffset GetUtcNow() => new(Interlocked.Read(ref _now), TimeSpan.Zero);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Stopwatch.GetElapsedTime(0).Ticks + Interlocked.Read(ref _elapsed);

    /// <summary>Keep Alive counts by this one.</summary>
    public void PassElapsed(TimeSpan time) => Interlocked.Add(ref _elapsed, time.Ticks);

    public void Pass(TimeSpan time) => Interlocked.Add(ref _now, time.Ticks);
}
