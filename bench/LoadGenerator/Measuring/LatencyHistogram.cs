using System.Numerics;

namespace OrleansMqtt.LoadGenerator.Measuring;

/// <summary>
/// Log-linear histogram of durations in nanoseconds: 64 steps per power of two, so a value read back is at most 1.6 % too high. Covers up to 73 minutes
/// in 20 KB and never allocates. One thread records; others may read meanwhile.
/// </summary>
internal sealed class LatencyHistogram
{
    private const int StepBits = 6;
    private const int Steps = 1 << StepBits;
    private const int MaximumBits = 42;
    private const int Buckets = (MaximumBits - StepBits + 1) * Steps;

    private readonly long[] _counts = new long[Buckets];
    private long _maximum;

    public long Maximum => Volatile.Read(ref _maximum);

    public long Count
    {
        get
        {
            long count = 0;
            foreach (long bucket in _counts)
            {
                count += bucket;
            }

            return count;
        }
    }

    public void Record(long nanoseconds)
    {
        nanoseconds = Math.Max(nanoseconds, 0);
        _counts[IndexOf(nanoseconds)]++;
        if (nanoseconds > _maximum)
        {
            _maximum = nanoseconds;
        }
    }

    public void Add(LatencyHistogram other)
    {
        for (int i = 0; i < Buckets; i++)
        {
            _counts[i] += Volatile.Read(ref other._counts[i]);
        }

        _maximum = Math.Max(_maximum, other.Maximum);
    }

    /// <summary>Takes away what was counted at an earlier moment, so that what is left happened since. The maximum stays that of the whole.</summary>
    public void Subtract(LatencyHistogram earlier)
    {
        for (int i = 0; i < Buckets; i++)
        {
            _counts[i] -= earlier._counts[i];
        }
    }

    public void Clear()
    {
        Array.Clear(_counts);
        _maximum = 0;
    }

    /// <summary>The smallest duration that at least <paramref name="fraction"/> (0–1) of the recorded ones do not exceed; 0 when there are none.</summary>
    public long Percentile(double fraction)
    {
        long wanted = Math.Max(1, (long)Math.Ceiling(Count * fraction));
        long seen = 0;
        for (int i = 0; i < Buckets; i++)
        {
            seen += _counts[i];
            if (seen >= wanted)
            {
                return Math.Min(HighestOf(i), Maximum);
            }
        }

        return 0;
    }

    private static int IndexOf(long value)
    {
        if (value < Steps)
        {
            return (int)value;
        }

        int bits = BitOperations.Log2((ulong)value);
        return bits >= MaximumBits ? Buckets - 1 : ((bits - StepBits + 1) << StepBits) + (int)((value >> (bits - StepBits)) - Steps);
    }

    private static long HighestOf(int index)
    {
        if (index < Steps)
        {
            return index;
        }

        int shift = (index >> StepBits) - 1;
        return ((long)((index & (Steps - 1)) + Steps + 1) << shift) - 1;
    }
}
