using Microsoft.Extensions.Logging;

namespace OrleansMqtt.Log.Kafka.Wire;

/// <summary>
/// Knows the leaders of the topics that somebody watches. Asked for anew by whoever meets a broker that leads no more or does not answer; a thread of its own asks the brokers one
/// after the other until one answers, and tells everybody.
/// </summary>
internal sealed class ClusterMetadata : WireWorker
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Period = TimeSpan.FromMinutes(5);
    private readonly Action<string> _onUnreachable;
    private readonly ILogger _logger;
    private readonly HashSet<string> _topics = new(StringComparer.Ordinal);
    private volatile ClusterSnapshot _current = ClusterSnapshot.Empty;
    private bool _isWanted;

    /// <param name="settings">The settings.</param>
    /// <param name="onUnreachable">Told why, when no broker answers.</param>
    /// <param name="logger">The logger.</param>
    public ClusterMetadata(WireSettings settings, Action<string> onUnreachable, ILogger logger)
        : base(settings, "Kafka metadata")
    {
        (_onUnreachable, _logger) = (onUnreachable, logger);
        Start();
    }

    /// <summary>Raised by the thread of its own after each answer, new or not.</summary>
    public event Action? Refreshed;

    public ClusterSnapshot Current => _current;

    /// <summary>Asks for a topic's leaders from now on.</summary>
    public void Watch(string topic)
    {
        lock (Gate)
        {
            if (_topics.Add(topic))
            {
                Refresh();
            }
        }
    }

    /// <summary>Asks the brokers, soon; <see cref="Refreshed"/> is raised after it.</summary>
    public void Refresh()
    {
        lock (Gate)
        {
            _isWanted = true;
            Monitor.PulseAll(Gate);
        }
    }

    protected override void Run()
    {
        var backoff = Interval;
        while (WaitUntilWanted() is { } topics)
        {
            if (TryAsk(topics))
            {
                Tell();
            }
            else
            {
                Refresh();
            }

            // Who asks meanwhile shares the next answer, which comes the later the longer it goes on like that.
            backoff = RestAndLook(backoff) ? Min(backoff * 2, LongestBackoff) : Interval;
        }
    }

    private string[]? WaitUntilWanted()
    {
        lock (Gate)
        {
            while (!IsStopping && !_isWanted)
            {
                // Leaders that moved are noticed by those who meet them; the period is for addresses that changed meanwhile.
                var hasPassed = !Monitor.Wait(Gate, Period);
                _isWanted |= hasPassed && _topics.Count > 0;
            }

            _isWanted = false;
            return IsStopping ? null : [.. _topics];
        }
    }

    private void Tell()
    {
        try
        {
            Refreshed?.Invoke();
        }
        catch (Exception exception)
        {
            // Whoever failed is told again by the next answer.
            _logger.LogWireFault(exception, "the leaders");
            Refresh();
        }
    }

    private static TimeSpan Min(TimeSpan one, TimeSpan other) => one < other ? one : other;

    /// <returns>Whether somebody asked meanwhile.</returns>
    private bool RestAndLook(TimeSpan duration)
    {
        Rest(duration);
        lock (Gate)
        {
            return _isWanted;
        }
    }

    private bool TryAsk(string[] topics)
    {
        var reason = "";
        if (Connection is { IsExpired: false } connected)
        {
            if (TryAsk(connected, topics, ref reason))
            {
                return true;
            }
        }

        foreach (var address in _current.Brokers.Concat(Settings.Bootstrap).Distinct())
        {
            Close();
            if (IsStopping)
            {
                return false;
            }

            try
            {
                Connect(address);
            }
            catch (WireException exception)
            {
                reason = exception.Message;
                continue;
            }

            if (TryAsk(Connection!, topics, ref reason))
            {
                return true;
            }
        }

        Close();
        if (!IsStopping)
        {
            _onUnreachable(reason);
        }

        return false;
    }

    private bool TryAsk(WireConnection connection, string[] topics, ref string reason)
    {
        try
        {
            var writer = connection.Start(WireApi.Metadata);
            writer.WriteInt32(topics.Length);
            foreach (var topic in topics)
            {
                writer.WriteString(topic);
            }

            // No topic is to be created by asking for it.
            writer.WriteInt8(0);
            var reader = connection.SendAndReceive();
            _current = ClusterSnapshot.Read(ref reader);
            return true;
        }
        catch (Exception exception)
        {
            reason = $"{connection.Address}: {exception.Message}";
            if (!WireConnection.IsFailure(exception))
            {
                _logger.LogWireFault(exception, connection.Address.ToString());
            }

            return false;
        }
    }
}
