namespace OrleansMqtt.Log.Kafka.Wire;

/// <summary>Does its work on a thread of its own, with one connection at a time. A type that derives from it calls <see cref="Start"/> when it is complete.</summary>
internal abstract class WireWorker : IDisposable
{
    private readonly Thread _thread;
    private volatile WireConnection? _connection;
    private volatile bool _isStopping;

    protected WireWorker(WireSettings settings, string name)
    {
        Settings = settings;
        _thread = new(Run) { IsBackground = true, Name = name };
    }

    protected WireSettings Settings { get; }

    /// <summary>Guards what other threads change; pulsed when the thread may have something to do.</summary>
    protected object Gate { get; } = new();

    protected WireConnection? Connection => _connection;

    protected bool IsStopping => _isStopping;

    public void Dispose()
    {
        lock (Gate)
        {
            _isStopping = true;
            Monitor.PulseAll(Gate);
        }

        _connection?.Dispose();
        _thread.Join();
        _connection?.Dispose();
    }

    protected void Start() => _thread.Start();

    protected abstract void Run();

    /// <exception cref="WireException">The broker does not answer, or refuses.</exception>
    protected void Connect(BrokerAddress address) => WireConnection.Open(Settings, address, opening =>
    {
        _connection = opening;
        if (_isStopping)
        {
            opening.Dispose();
        }
    });

    protected void Close()
    {
        _connection?.Dispose();
        _connection = null;
    }

    /// <summary>Waits for a time, or until it is stopped.</summary>
    protected void Rest(TimeSpan duration)
    {
        lock (Gate)
        {
            var until = Environment.TickCount64 + (long)duration.TotalMilliseconds;
            while (!_isStopping && until - Environment.TickCount64 is > 0 and var rest)
            {
                Monitor.Wait(Gate, TimeSpan.FromMilliseconds(rest));
            }
        }
    }
}
