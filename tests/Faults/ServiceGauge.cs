using System.Diagnostics;

namespace OrleansMqtt.Faults;

/// <summary>How long a client is without service: the longest time between two things that happened to it, from a moment on.</summary>
internal sealed class ServiceGauge
{
    private readonly Lock _lock = new();
    private long _last = Stopwatch.GetTimestamp();
    private TimeSpan _longest;
    private DateTime _longestEnd;

    /// <summary>Connections that the server ended, since the beginning.</summary>
    public int Closed { get; private set; }

    public void Restart()
    {
        lock (_lock)
        {
            (_last, _longest) = (Stopwatch.GetTimestamp(), TimeSpan.Zero);
        }
    }

    public void Serve()
    {
        lock (_lock)
        {
            var now = Stopwatch.GetTimestamp();
            var gap = Stopwatch.GetElapsedTime(_last, now);
            _last = now;
            if (gap > _longest)
            {
                (_longest, _longestEnd) = (gap, DateTime.UtcNow);
            }
        }
    }

    public void Close()
    {
        lock (_lock)
        {
            Closed++;
        }
    }

    /// <summary>The longest pause, the one that lasts included.</summary>
    public TimeSpan Longest
    {
        get
        {
            lock (_lock)
            {
                var open = Stopwatch.GetElapsedTime(_last);
                return open > _longest ? open : _longest;
            }
        }
    }

    /// <summary>When the longest pause ended.</summary>
    public DateTime LongestEnd
    {
        get
        {
            lock (_lock)
            {
                return _longestEnd;
            }
        }
    }

    public bool IsServedSince(long moment)
    {
        lock (_lock)
        {
            return _last > moment;
        }
    }
}
