namespace OrleansMqtt.LoadGenerator.Engine;

/// <summary>The connections of one stage of <see cref="OfflineRun"/>, on workers of their own.</summary>
internal sealed class OfflineStage : IDisposable
{
    private readonly RunContext _context;
    private readonly List<Worker> _workers = [];
    private long _last = -1;

    public OfflineStage(LoadSettings settings, string? password, Func<Worker, int, Connection> create, int connections)
    {
        _context = new RunContext(settings, LoadRun.Resolve(settings), password, null);
        for (int i = 0; i < settings.Threads; i++)
        {
            _workers.Add(new Worker(_context, i));
        }

        for (int i = 0; i < connections; i++)
        {
            var worker = _workers[i % settings.Threads];
            worker.Add(create(worker, i));
        }
    }

    public long Ready => _workers.Sum(w => Volatile.Read(ref w.Counters.Ready));

    public long Acknowledged => _workers.Sum(w => Volatile.Read(ref w.Counters.Acknowledged));

    public long Delivered => _workers.Sum(w => Volatile.Read(ref w.Counters.Delivered));

    public IEnumerable<Subscriber> Subscribers => _workers.SelectMany(w => w.Subscribers);

    public LoadException? Error => _context.Errors.First;

    /// <summary>When the count last grew.</summary>
    public long LastProgress { get; private set; } = RunClock.Now;

    public void Start() => _workers.ForEach(w => w.Start());

    /// <summary>Disconnects all.</summary>
    public void Stop() => _workers.ForEach(w => w.Stop());

    public void Progress(long count)
    {
        if (count != _last)
        {
            _last = count;
            LastProgress = RunClock.Now;
        }
    }

    public void Dispose() => _workers.ForEach(w => w.Dispose());
}
