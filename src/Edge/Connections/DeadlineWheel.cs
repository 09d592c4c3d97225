namespace OrleansMqtt.Edge.Connections;

/// <summary>
/// One timer for the deadlines of all connections: a wheel of slots of a quarter of a second. A connection that is active costs nothing until its slot comes up; then it
/// names its new deadline.
/// </summary>
internal sealed class DeadlineWheel : IDisposable
{
    /// <summary>Ticks of the wheel per second.</summary>
    public const int TicksPerSecond = 4;

    private const int Slots = 1024;

    private readonly Lock _gate = new();
    private readonly MqttConnection?[] _slots = new MqttConnection?[Slots];
    private readonly List<MqttConnection> _due = [];
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly Action _advancing;
    private readonly long _start;
    private long _now;

    /// <param name="time">The time.</param>
    /// <param name="advancing">Called at each tick.</param>
    public DeadlineWheel(TimeProvider time, Action advancing)
    {
        (_time, _advancing) = (time, advancing);
        _start = time.GetTimestamp();
        var period = TimeSpan.FromSeconds(1) / TicksPerSecond;
        _timer = time.CreateTimer(static wheel => ((DeadlineWheel)wheel!).Advance(), this, period, period);
    }

    /// <summary>The tick up to which deadlines were looked at. Behind the time when the machine is busy.</summary>
    public long Now => Volatile.Read(ref _now);

    /// <summary>The time in ticks.</summary>
    public long Time => (long)(_time.GetElapsedTime(_start).TotalSeconds * TicksPerSecond);

    public static long ToTicks(TimeSpan time) => (long)Math.Ceiling(time.TotalSeconds * TicksPerSecond);

    /// <summary>Asks <see cref="MqttConnection.OnDeadline"/> of the connection when the tick comes, or earlier.</summary>
    public void Add(MqttConnection connection, long tick)
    {
        lock (_gate)
        {
            if (!connection.DeadlineEntry.IsRemoved)
            {
                Insert(connection, tick);
            }
        }
    }

    /// <summary>Forgets the connection for good.</summary>
    public void Remove(MqttConnection connection)
    {
        lock (_gate)
        {
            Unlink(connection);
            connection.DeadlineEntry.IsRemoved = true;
        }
    }

    public void Dispose() => _timer.Dispose();

    private void Insert(MqttConnection connection, long tick)
    {
        Unlink(connection);
        var slot = (int)(Math.Clamp(tick, _now + 1, _now + Slots - 1) % Slots);
        ref var entry = ref connection.DeadlineEntry;
        entry.Slot = slot;
        entry.IsLinked = true;
        entry.Previous = null;
        entry.Next = _slots[slot];
        if (entry.Next is { } next)
        {
            next.DeadlineEntry.Previous = connection;
        }

        _slots[slot] = connection;
    }

    private void Unlink(MqttConnection connection)
    {
        ref var entry = ref connection.DeadlineEntry;
        if (!entry.IsLinked)
        {
            return;
        }

        if (entry.Next is { } next)
        {
            next.DeadlineEntry.Previous = entry.Previous;
        }

        if (entry.Previous is { } previous)
        {
            previous.DeadlineEntry.Next = entry.Next;
        }
        else
        {
            _slots[entry.Slot] = entry.Next;
        }

        entry.Next = entry.Previous = null;
        entry.IsLinked = false;
    }

    private void Advance()
    {
        // A timer that fires late catches up; the callbacks of one timer may overlap.
        lock (_due)
        {
            _advancing();
            var target = Time;
            while (_now < target)
            {
                lock (_gate)
                {
                    Volatile.Write(ref _now, _now + 1);
                    while (_slots[_now % Slots] is { } connection)
                    {
                        Unlink(connection);
                        _due.Add(connection);
                    }
                }

                foreach (var connection in _due)
                {
                    if (connection.OnDeadline(_now) is { } next)
                    {
                        Add(connection, next);
                    }
                }

                _due.Clear();
            }
        }
    }

    /// <summary>A connection's place in the wheel.</summary>
    internal struct Entry
    {
        public MqttConnection? Previous;
        public MqttConnection? Next;
        public int Slot;
        public bool IsLinked;
        public bool IsRemoved;
    }
}
