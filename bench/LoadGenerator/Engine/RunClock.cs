using System.Diagnostics;

namespace OrleansMqtt.LoadGenerator.Engine;

/// <summary>The moments of a run, in Stopwatch ticks (nanoseconds on Linux). Set once by the coordinator, read by the workers.</summary>
internal sealed class RunClock
{
    private long _start = long.MaxValue;
    private long _stop = long.MaxValue;

    public static long Now => Stopwatch.GetTimestamp();

    /// <summary>Publishing begins.</summary>
    public long Start => Volatile.Read(ref _start);

    /// <summary>Publishing ends; Ctrl-C moves it forward.</summary>
    public long Stop => Volatile.Read(ref _stop);

    /// <summary>Messages sent (or scheduled) from here to <see cref="Stop"/> count for the latencies.</summary>
    public long MeasureFrom { get; private set; }

    public static long Ticks(double seconds) => (long)(seconds * Stopwatch.Frequency);

    public void Begin(long start, long measureFrom, long stop)
    {
        MeasureFrom = measureFrom;
        Volatile.Write(ref _stop, stop);
        Volatile.Write(ref _start, start);
    }

    public void StopNow()
    {
        long now = Now;
        if (now < Stop)
        {
            Volatile.Write(ref _stop, now);
        }
    }

    public bool Measures(long ticks) => ticks >= MeasureFrom && ticks < Stop;
}
