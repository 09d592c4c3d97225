namespace OrleansMqtt.Conformance.Tests.Time;

/// <summary>A clock that stands still until a test sets it forward. Timers run as ever, so that whatever is due by the clock is done within their periods.</summary>
internal sealed class SetClock : TimeProvider
{
    private long _now = DateTimeOffset.UtcNow.UtcTicks;

    public override DateTimeOffset GetUtcNow() => new(Interlocked.Read(ref _now), TimeSpan.Zero);

    public void Pass(TimeSpan time) => Interlocked.Add(ref _now, time.Ticks);
}
