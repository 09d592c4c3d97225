namespace OrleansMqtt.LoadGenerator.Measuring;

/// <summary>
/// What one subscriber has received of one publisher: exact counts of missing, repeated and late sequences. Costs a comparison per message while all
/// arrive in order; gaps are kept as ranges. Beyond <see cref="MaximumRanges"/> gaps the oldest are counted as missing for good.
/// </summary>
internal struct SequenceTracker
{
    private const int MaximumRanges = 4096;

    private long _next;
    private List<(long From, long To)>? _missing;
    private long _missingForGood;

    public long Received { get; private set; }

    public long Duplicates { get; private set; }

    public long OutOfOrder { get; private set; }

    /// <summary>True when the sequence is new, false when it is a duplicate.</summary>
    public bool Receive(uint sequence)
    {
        if (sequence == _next)
        {
            _next++;
            Received++;
            return true;
        }

        return ReceiveElsewhere(sequence);
    }

    /// <summary>How many sequences below <paramref name="end"/> have not arrived.</summary>
    public readonly long MissingBefore(long end)
    {
        long missing = _missingForGood + Math.Max(0, end - _next);
        foreach (var (from, to) in _missing ?? [])
        {
            missing += to - from;
        }

        return missing;
    }

    public readonly bool IsMissing(uint sequence)
    {
        if (sequence >= _next)
        {
            return true;
        }

        foreach (var (from, to) in _missing ?? [])
        {
            if (sequence >= from && sequence < to)
            {
                return true;
            }
        }

        return false;
    }

    private bool ReceiveElsewhere(uint sequence)
    {
        if (sequence > _next)
        {
            _missing ??= [];
            if (_missing.Count == MaximumRanges)
            {
                _missingForGood += _missing[0].To - _missing[0].From;
                _missing.RemoveAt(0);
            }

            _missing.Add((_next, sequence));
            _next = sequence + 1L;
            Received++;
            return true;
        }

        for (int i = 0; _missing is not null && i < _missing.Count; i++)
        {
            var (from, to) = _missing[i];
            if (sequence < from || sequence >= to)
            {
                continue;
            }

            _missing.RemoveAt(i);
            if (sequence + 1L < to)
            {
                _missing.Insert(i, (sequence + 1L, to));
            }

            if (from < sequence)
            {
                _missing.Insert(i, (from, sequence));
            }

            Received++;
            OutOfOrder++;
            return true;
        }

        Duplicates++;
        return false;
    }
}
