using System.Diagnostics;
using System.Net;
using OrleansMqtt.LoadGenerator.Sockets;

namespace OrleansMqtt.LoadGenerator.Engine;

/// <summary>One thread with its share of the connections.</summary>
internal sealed class Worker : IDisposable
{
    private const int ConcurrentConnects = 64;

    // Between two rounds of scheduled sends at high rates, so that the generator does not spin.
    private const long ShortestPause = 200_000;
    private const long LongestPause = 20_000_000;

    private readonly int _number;
    private readonly List<Connection> _connections = [];
    private readonly List<Publisher> _publishers = [];
    private readonly List<Publisher> _queued = [];
    private readonly List<Publisher> _pumping = [];
    private readonly long[]? _deliveredOf;
    private readonly Thread _thread;
    private readonly long _openedAt = RunClock.Now;
    private readonly Queue<int> _lost = [];
    private readonly HashSet<int> _comingBack = [];
    private int _opened;
    private long _round;
    private int _turn;
    private int _started;
    private long _nextKeepAlive;
    private volatile bool _stopped;

    public Worker(RunContext context, int number)
    {
        Context = context;
        _number = number;
        int packet = Math.Max(context.Settings.PayloadLength + 1024, 1024);
        ReceiveBuffer = GC.AllocateUninitializedArray<byte>(Math.Max(256 * 1024, packet * 2), pinned: true);
        SendBuffer = new SendBuffer(ReceiveBuffer.Length + Math.Max(128 * 1024, packet * 2));
        if (context.WindowByDelivery)
        {
            _deliveredOf = context.DeliveredOf[number];
        }

        _thread = new Thread(Run) { Name = $"worker {number}", IsBackground = true };
    }

    public RunContext Context { get; }

    public Epoll Epoll { get; } = new();

    public WorkerCounters Counters { get; } = new();

    public byte[] ReceiveBuffer { get; }

    public SendBuffer SendBuffer { get; }

    /// <summary>The time, as of the last round of the loop.</summary>
    public long Now { get; private set; }

    public IReadOnlyList<Publisher> Publishers => _publishers;

    public IEnumerable<Subscriber> Subscribers => _connections.OfType<Subscriber>();

    public void Add(Connection connection)
    {
        _connections.Add(connection);
        if (connection is Publisher publisher)
        {
            _publishers.Add(publisher);
        }
    }

    public void Start() => _thread.Start();

    /// <summary>Closes all connections and ends the thread.</summary>
    public void Stop()
    {
        _stopped = true;
        _thread.Join();
    }

    public void Dispose() => Epoll.Dispose();

    public bool IsStopping => _stopped;

    public void OnReady(int slot)
    {
        if (_comingBack.Remove(slot))
        {
            Counters.ConnectionsBack++;
        }
        else
        {
            Counters.Ready++;
        }
    }

    /// <summary>Opens a connection again that was lost, or could not be opened again.</summary>
    public void Reopen(int slot)
    {
        _comingBack.Remove(slot);
        _lost.Enqueue(slot);
    }

    public void OnDelivered(uint publisher)
    {
        if (_deliveredOf is not null)
        {
            Volatile.Write(ref _deliveredOf[publisher], _deliveredOf[publisher] + 1);
        }
    }

    public void Queue(Publisher publisher)
    {
        if (!publisher.IsQueued)
        {
            publisher.IsQueued = true;
            _queued.Add(publisher);
        }
    }

    private void Run()
    {
        try
        {
            while (!_stopped)
            {
                Now = RunClock.Now;
                OpenConnections();
                Schedule();
                Pump();
                int count = Epoll.Wait(Pause());
                Now = RunClock.Now;
                for (int i = 0; i < count; i++)
                {
                    var (slot, events) = Epoll.Get(i);
                    _connections[slot].OnEvents(events);
                }

                Context.Ledger?.Flush();
                if (Now >= _nextKeepAlive)
                {
                    _nextKeepAlive = Now + Stopwatch.Frequency;
                    _connections.ForEach(c => c.KeepAlive(Now));
                }
            }
        }
        catch (LoadException error)
        {
            Context.Errors.Report(error);
        }

        _connections.ForEach(c => c.Close());
    }

    private void OpenConnections()
    {
        for (int lost = _lost.Count; lost > 0 && _comingBack.Count < ConcurrentConnects; lost--)
        {
            int slot = _lost.Dequeue();
            _comingBack.Add(slot);
            _connections[slot].Open(slot, SourceOf(slot));
        }

        if (_opened == _connections.Count)
        {
            return;
        }

        double rate = Context.Settings.ConnectRate / Context.Settings.Threads;
        long allowed = rate > 0 ? 1 + (long)((Now - _openedAt) * rate / Stopwatch.Frequency) : long.MaxValue;
        while (_opened < _connections.Count && _opened < allowed && _opened - Counters.Ready < ConcurrentConnects && Context.Errors.First is null)
        {
            _connections[_opened].Open(_opened, SourceOf(_opened));
            _opened++;
        }
    }

    private IPAddress? SourceOf(int slot)
    {
        int sources = Context.Settings.SourceAddresses;
        int which = ((slot * Context.Settings.Threads) + _number) % Math.Max(sources, 1);
        return sources > 0 ? new IPAddress([127, 0, (byte)(which >> 8), (byte)((which & 255) + 1)]) : null;
    }

    private void Schedule()
    {
        var clock = Context.Clock;
        if (Now < clock.Start || _publishers.Count == 0)
        {
            return;
        }

        if (Context.Settings.Rate == 0)
        {
            while (_started < _publishers.Count
                && Now - clock.Start >= RunClock.Ticks(Context.Settings.Ramp * _publishers[_started].Index / Context.Settings.Publishers))
            {
                Queue(_publishers[_started++]);
            }

            return;
        }

        long until = Math.Min(Now, clock.Stop - 1);
        while (NextScheduled() <= until)
        {
            var publisher = _publishers[_turn];
            if (publisher.Schedule(_round))
            {
                Queue(publisher);
            }

            if (++_turn == _publishers.Count)
            {
                _turn = 0;
                _round++;
            }
        }
    }

    private long NextScheduled() => Context.Clock.Start
        + (long)((_publishers[_turn].Index + ((double)_round * Context.Settings.Publishers)) * (Stopwatch.Frequency / Context.Settings.Rate));

    private void Pump()
    {
        if (_deliveredOf is not null)
        {
            for (int i = 0; i < _started; i++)
            {
                Queue(_publishers[i]);
            }
        }

        if (_queued.Count == 0)
        {
            return;
        }

        _pumping.AddRange(_queued);
        _queued.Clear();
        foreach (var publisher in _pumping)
        {
            publisher.IsQueued = false;
            if (publisher.Pump())
            {
                Queue(publisher);
            }
        }

        _pumping.Clear();
    }

    private long Pause()
    {
        if (_queued.Count > 0)
        {
            return 0;
        }

        long pause = _deliveredOf is not null || _opened < _connections.Count || _lost.Count > 0 ? 1_000_000 : LongestPause;
        if (Context.Settings.Rate > 0 && _publishers.Count > 0 && Context.Clock.Start != long.MaxValue)
        {
            long next = NextScheduled();
            if (next < Context.Clock.Stop)
            {
                pause = Math.Clamp(next - RunClock.Now, Context.Settings.Rate > 5000 ? ShortestPause : 0, pause);
            }
        }

        return Context.Settings.Rate == 0 && _started < _publishers.Count ? Math.Min(pause, 1_000_000) : pause;
    }
}
