namespace OrleansMqtt.Edge.Publishing;

/// <summary>
/// Slows the reading of publishes down while deliveries fall behind. To take a message costs a cluster less than to deliver it; without a pace its publishers would leave the
/// deliveries no processor time, and what is late costs more, because it is read back from the log. How late deliveries are is told by how long batches wait between the owners
/// of the sessions and this edge, deliveries one way and acknowledgements the other: that needs no client, so that a slow one slows nobody down. A group of shared subscriptions tells by itself when it falls
/// behind: its messages wait with its one owner. The limit of bytes on their way
/// to the log shrinks at once, and grows again step by step.
/// </summary>
internal sealed class PublishPace : IDisposable
{
    private const double Shrinking = 0.7;
    private const double Growth = 1.1;

    /// <summary>The limit never goes below this, so that all publishers go on.</summary>
    private const long LeastLimit = 64 * 1024;

    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(100);

    /// <summary>Without any answer for so long there is nothing to wait for.</summary>
    private static readonly TimeSpan Memory = TimeSpan.FromSeconds(1);

    private readonly PublishCredits _credits;
    private readonly TimeProvider _time;
    private readonly TimeSpan _delayLimit;
    private readonly ITimer _timer;
    private long _longest;
    private bool _isBehind;
    private TimeSpan _last;
    private long _heardAt;
    private long _shrunkAt;

    public PublishPace(PublishCredits credits, TimeProvider time, TimeSpan delayLimit)
    {
        (_credits, _time, _delayLimit) = (credits, time, delayLimit);
        _heardAt = _shrunkAt = time.GetTimestamp();
        _timer = time.CreateTimer(static pace => ((PublishPace)pace!).Adjust(), this, Period, Period);
    }

    /// <summary>Notes how long a batch waited. Any thread.</summary>
    public void Note(TimeSpan delay)
    {
        var longest = Volatile.Read(ref _longest);
        while (delay.Ticks > longest)
        {
            var seen = Interlocked.CompareExchange(ref _longest, delay.Ticks, longest);
            if (seen == longest)
            {
                return;
            }

            longest = seen;
        }
    }

    /// <summary>Notes that something falls behind in spite of all batches being in time. Any thread.</summary>
    public void NoteBehind() => Volatile.Write(ref _isBehind, true);

    public void Dispose() => _timer.Dispose();

    private void Adjust()
    {
        var longest = Interlocked.Exchange(ref _longest, 0);
        var peak = _credits.TakePeak();
        if (longest > 0)
        {
            (_last, _heardAt) = (new TimeSpan(longest), _time.GetTimestamp());
        }
        else if (_time.GetElapsedTime(_heardAt) >= Memory)
        {
            _last = TimeSpan.Zero;
        }

        if (Interlocked.Exchange(ref _isBehind, false))
        {
            // What comes of it is seen before the next period.
            Shrink(peak);
        }
        else if (_last <= _delayLimit)
        {
            _credits.SetLimit(Math.Max((long)(_credits.Limit * Growth), _credits.Limit + LeastLimit));
        }
        else if (longest > 0 && _time.GetElapsedTime(_shrunkAt) >= _last)
        {
            // Once in the time that it takes to see what came of it.
            Shrink(peak);
        }
    }

    private void Shrink(long peak)
    {
        _shrunkAt = _time.GetTimestamp();
        _credits.SetLimit(Math.Max((long)(Math.Min(_credits.Limit, peak) * Shrinking), LeastLimit));
    }
}
