using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace OrleansMqtt.Edge.Transport;

/// <summary>A thread that receives for many connections, and goes on with sends that found no room.</summary>
internal sealed class EpollLoop : IDisposable
{
    private const int MinimumSlots = 64;

    // From this many events a second on, a round that brings few is followed by a short pause, so that the next brings more: a wake-up costs more than what there is to do.
    private const double BusyRate = 2000;
    private const int FullRound = 128;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan RateWindow = TimeSpan.FromMilliseconds(10);

    private readonly Epoll _epoll = new();
    private readonly ILogger _logger;
    private readonly Thread _thread;
    private readonly Lock _gate = new();
    private readonly ConcurrentQueue<EpollConnection> _posted = new();
    private readonly List<EpollConnection> _continuing = [];
    private readonly List<EpollConnection> _continued = [];
    private readonly Stack<int> _freeSlots = new();
    private EpollConnection?[] _slots = new EpollConnection?[MinimumSlots];
    private int _usedSlots;
    private int _generation;
    private int _isWaiting;
    private volatile bool _isStopping;
    private bool _hasStopped;
    private long _windowStart = Stopwatch.GetTimestamp();
    private int _windowEvents;
    private bool _isBusy;

    public EpollLoop(string name, ILogger logger)
    {
        _logger = logger;
        _thread = new Thread(Run) { IsBackground = true, Name = name };
        _thread.UnsafeStart();
    }

    /// <summary>Where everything is received. For the loop's thread only.</summary>
    public byte[] Buffer { get; } = GC.AllocateUninitializedArray<byte>(64 * 1024, pinned: true);

    public bool IsCurrentThread => Thread.CurrentThread == _thread;

    /// <summary>Serves a connection from now on.</summary>
    public void Add(EpollConnection connection)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isStopping, this);
            if (!_freeSlots.TryPop(out var slot))
            {
                slot = _usedSlots++;
                if (slot == _slots.Length)
                {
                    var slots = new EpollConnection?[_slots.Length * 2];
                    _slots.CopyTo(slots, 0);
                    Volatile.Write(ref _slots, slots);
                }
            }

            // The key is never used twice, as the number of the socket and the slot are: an event of an earlier connection finds nobody.
            connection.Key = ((long)(_generation++ & int.MaxValue) << 32) | (uint)slot;
            _slots[slot] = connection;
        }

        try
        {
            _epoll.Add(connection.Descriptor, connection.Key);
        }
        catch
        {
            Remove(connection);
            throw;
        }
    }

    /// <summary>Forgets a connection, before its socket is closed.</summary>
    public void Remove(EpollConnection connection)
    {
        _epoll.Remove(connection.Descriptor);
        lock (_gate)
        {
            var slot = (int)connection.Key;
            if (_slots[slot] == connection)
            {
                _slots[slot] = null;
                _freeSlots.Push(slot);
            }
        }
    }

    /// <summary>Has the loop's thread call <see cref="EpollConnection.OnPosted"/>. By any thread.</summary>
    public void Post(EpollConnection connection)
    {
        _posted.Enqueue(connection);
        if (Interlocked.CompareExchange(ref _isWaiting, 0, 1) == 1)
        {
            _epoll.Wake();
        }

        if (Volatile.Read(ref _hasStopped))
        {
            RunPostedAfterStop();
        }
    }

    /// <summary>Has the connection receive again in the next round, after all others. By the loop's thread.</summary>
    public void Continue(EpollConnection connection) => _continuing.Add(connection);

    /// <summary>Aborts the connections and ends the thread.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _isStopping = true;
        }

        _epoll.Wake();
        _thread.Join();
        _epoll.Dispose();
    }

    private void Run()
    {
        try
        {
            while (!_isStopping)
            {
                RunRound();
            }
        }
        catch (Exception exception)
        {
            _isStopping = true;
            _logger.LoopFailed(exception);
        }

        foreach (var connection in _slots)
        {
            connection?.Abort(new ConnectionAbortedException("The transport has stopped."));
        }

        Volatile.Write(ref _hasStopped, true);
        RunPostedAfterStop();
    }

    private void RunRound()
    {
        var count = _epoll.Wait(blocks: _continuing.Count == 0 && MayWait());
        Volatile.Write(ref _isWaiting, 0);
        for (var i = 0; i < count; i++)
        {
            var (key, events) = _epoll.Get(i);
            if (key != Epoll.WakeKey && Volatile.Read(ref _slots)[(int)key] is { } connection && connection.Key == key)
            {
                Run(connection, events);
            }
        }

        while (_posted.TryDequeue(out var posted))
        {
            RunPosted(posted);
        }

        if (_continuing.Count > 0)
        {
            _continued.AddRange(_continuing);
            _continuing.Clear();
            foreach (var connection in _continued)
            {
                Run(connection, Epoll.Readable);
            }

            _continued.Clear();
        }

        PauseWhenBusy(count);
    }

    /// <summary>Announces the wait; false when something was posted meanwhile.</summary>
    private bool MayWait()
    {
        Interlocked.Exchange(ref _isWaiting, 1);
        return _posted.IsEmpty && !_isStopping;
    }

    private void Run(EpollConnection connection, uint events)
    {
        try
        {
            connection.OnEvents(events);
        }
        catch (Exception exception)
        {
            Abort(connection, exception);
        }
    }

    private void RunPosted(EpollConnection connection)
    {
        try
        {
            connection.OnPosted();
        }
        catch (Exception exception)
        {
            Abort(connection, exception);
        }
    }

    private void Abort(EpollConnection connection, Exception exception)
    {
        _logger.ConnectionAborted(exception);
        connection.Abort(new ConnectionAbortedException("An unexpected error.", exception));
    }

    /// <summary>The thread is gone, or has nothing else to do: whoever posts runs what is posted.</summary>
    private void RunPostedAfterStop()
    {
        lock (_posted)
        {
            while (_posted.TryDequeue(out var posted))
            {
                RunPosted(posted);
            }
        }
    }

    private unsafe void PauseWhenBusy(int count)
    {
        _windowEvents += count;
        var elapsed = Stopwatch.GetElapsedTime(_windowStart);
        if (elapsed >= RateWindow)
        {
            _isBusy = _windowEvents > BusyRate * elapsed.TotalSeconds;
            _windowStart = Stopwatch.GetTimestamp();
            _windowEvents = 0;
        }

        if (_isBusy && count < FullRound && _continuing.Count == 0 && _posted.IsEmpty)
        {
            var time = stackalloc long[] { 0, (long)Pause.TotalNanoseconds };
            _ = Libc.Sleep(time, null);
        }
    }
}
