namespace OrleansMqtt.LoadGenerator.Measuring;

/// <summary>What the subscribers of one group have received of one publisher, all together. For any thread.</summary>
internal sealed class GroupTracker
{
    private readonly Lock _lock = new();
    private ulong[] _received = new ulong[64];
    private long _count;

    public long Duplicates { get; private set; }

    /// <summary>True when nobody of the group had the sequence, false when it is a duplicate.</summary>
    public bool Receive(uint sequence)
    {
        lock (_lock)
        {
            int word = (int)(sequence >> 6);
            if (word >= _received.Length)
            {
                Array.Resize(ref _received, Math.Max(word + 1, _received.Length * 2));
            }

            ulong bit = 1UL << (int)(sequence & 63);
            if ((_received[word] & bit) != 0)
            {
                Duplicates++;
                return false;
            }

            _received[word] |= bit;
            _count++;
            return true;
        }
    }

    /// <summary>How many sequences below <paramref name="end"/>, of which there are no others, have not arrived.</summary>
    public long MissingBefore(long end)
    {
        lock (_lock)
        {
            return end - _count;
        }
    }

    public bool IsMissing(uint sequence)
    {
        lock (_lock)
        {
            return sequence >> 6 >= _received.Length || (_received[sequence >> 6] & (1UL << (int)(sequence & 63))) == 0;
        }
    }
}
