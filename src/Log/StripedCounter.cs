using System.Diagnostics.Metrics;
using System.Numerics;

namespace OrleansMqtt.Log;

/// <summary>
/// A counter for paths where each message counts: adding costs some nanoseconds and meets no other core, whoever listens. Instruments observe its value when they are collected
/// [a <see cref="Counter{T}"/> with a listener costs 200 to 500 ns].
/// </summary>
public sealed class StripedCounter
{
    // A cache line each.
    private const int Stride = 16;
    private static readonly int Mask = (int)BitOperations.RoundUpToPowerOf2((uint)Environment.ProcessorCount) - 1;
    private readonly long[] _cells = new long[(Mask + 2) * Stride];

    /// <summary>What was added up to now.</summary>
    public long Value
    {
        get
        {
            long value = 0;
            for (var cell = 0; cell <= Mask; cell++)
            {
                value += Volatile.Read(ref _cells[(cell + 1) * Stride]);
            }

            return value;
        }
    }

    public void Add(long value) => Interlocked.Add(ref _cells[((Thread.GetCurrentProcessorId() & Mask) + 1) * Stride], value);

    /// <summary>A counter that an instrument of the meter observes.</summary>
    public static StripedCounter Create(Meter meter, string name, string unit, string description)
    {
        StripedCounter counter = new();
        meter.CreateObservableCounter(name, () => counter.Value, unit, description);
        return counter;
    }

    /// <summary>A number that rises and falls, which an instrument of the meter observes.</summary>
    public static StripedCounter CreateUpDown(Meter meter, string name, string unit, string description)
    {
        StripedCounter counter = new();
        meter.CreateObservableUpDownCounter(name, () => counter.Value, unit, description);
        return counter;
    }
}
