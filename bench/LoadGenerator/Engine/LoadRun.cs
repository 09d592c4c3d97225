using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using OrleansMqtt.LoadGenerator.Measuring;

namespace OrleansMqtt.LoadGenerator.Engine;

/// <summary>Runs a scenario: connect, publish, measure, drain, add up.</summary>
internal sealed class LoadRun : IDisposable
{
    private readonly LoadSettings _settings;
    private readonly RunContext _context;
    private readonly List<Worker> _workers = [];
    private readonly IReadOnlyList<WatchedProcess> _processes;
    private MachineSample _machineStart;
    private MachineSample _machineEnd;
    private readonly TextWriter _progress;
    private readonly CancellationToken _stopping;
    private readonly LatencyHistogram _lastProgress = new();
    private (long Published, long Acknowledged, long Delivered, long At) _last;
    private long? _lostSince;
    private bool _areBack;

    public LoadRun(LoadSettings settings, string? password, IEnumerable<WatchedProcess> processes, TextWriter progress, CancellationToken stopping)
    {
        _settings = settings;
        _progress = progress;
        _stopping = stopping;
        _processes = [.. processes, new WatchedProcess("generator", Environment.ProcessId)];
        _context = new RunContext(settings, Resolve(settings), password, settings.LedgerFile is { } file ? new LedgerFile(file) : null);
        if (_context.WindowByDelivery)
        {
            _context.DeliveredOf = [.. Enumerable.Range(0, settings.Threads).Select(_ => new long[settings.Publishers])];
        }

        for (int i = 0; i < settings.Threads; i++)
        {
            _workers.Add(new Worker(_context, i));
        }

        for (int i = 0; i < settings.Subscribers; i++)
        {
            var worker = _workers[i % settings.Threads];
            worker.Add(new Subscriber(worker, $"{settings.ClientPrefix}-s{i}", i));
        }

        for (int i = 0; i < settings.Publishers; i++)
        {
            var worker = _workers[i % settings.Threads];
            worker.Add(new Publisher(worker, $"{settings.ClientPrefix}-p{i}", i));
        }

        for (int i = 0; i < settings.Idle; i++)
        {
            var worker = _workers[i % settings.Threads];
            worker.Add(new Connection(worker, $"{settings.ClientPrefix}-i{i}"));
        }
    }

    /// <exception cref="LoadException">The run could not be made.</exception>
    public async Task<RunResult> RunAsync()
    {
        var startedAt = DateTimeOffset.UtcNow;
        bool connectionsOnly = _settings.Scenario == Scenario.Connections;
        Sample(start: connectionsOnly);
        long opening = RunClock.Now;
        _workers.ForEach(w => w.Start());
        await ConnectAsync(opening);
        double connectSeconds = Seconds(RunClock.Now - opening);

        long start = RunClock.Now + RunClock.Ticks(0.05);
        long measure = start + RunClock.Ticks(connectionsOnly ? 0 : _settings.Ramp + _settings.WarmUp);
        _context.Clock.Begin(start, measure, measure + RunClock.Ticks(_settings.Duration));
        _last.At = start;
        await WaitUntilAsync(() => measure);
        var from = Totals();
        if (!connectionsOnly)
        {
            Sample(start: true);
        }

        await WaitUntilAsync(() => _context.Clock.Stop);
        var to = Totals();
        Sample(start: false);
        await DrainAsync();
        _workers.ForEach(w => w.Stop());
        _context.Ledger?.Dispose();
        return AddUp(startedAt, connectSeconds, from, to);
    }

    public void Dispose()
    {
        _workers.ForEach(w => w.Dispose());
        _context.Ledger?.Dispose();
    }

    public static IPEndPoint[] Resolve(LoadSettings settings)
    {
        try
        {
            var addresses = Dns.GetHostAddresses(settings.Host);
            var address = addresses.FirstOrDefault(a => a.AddressFamily == AddressFamily.InterNetwork) ?? addresses[0];
            return [.. settings.Ports.Select(port => new IPEndPoint(address, port))];
        }
        catch (SocketException error)
        {
            throw new LoadException($"cannot resolve {settings.Host}: {error.Message}");
        }
    }

    private static double Seconds(long ticks) => ticks / (double)Stopwatch.Frequency;

    private async Task ConnectAsync(long opening)
    {
        int wanted = _settings.ConnectionCount;
        long limit = opening + RunClock.Ticks(_settings.ConnectTimeout + (_settings.ConnectRate > 0 ? wanted / _settings.ConnectRate : 0));
        long nextLine = opening + Stopwatch.Frequency;
        while (true)
        {
            long ready = _workers.Sum(w => Volatile.Read(ref w.Counters.Ready));
            if (_context.Errors.First is { } error)
            {
                throw error;
            }

            if (ready == wanted)
            {
                return;
            }

            if (_stopping.IsCancellationRequested)
            {
                throw new LoadException($"stopped with {ready} of {wanted} connections open");
            }

            if (RunClock.Now > limit)
            {
                throw new LoadException($"only {ready} of {wanted} connections were ready within {Seconds(limit - opening):F0} s");
            }

            if (RunClock.Now > nextLine)
            {
                nextLine += Stopwatch.Frequency;
                _progress.WriteLine($"connections {ready} of {wanted}");
            }

            await Task.Delay(5, CancellationToken.None);
        }
    }

    private async Task WaitUntilAsync(Func<long> moment)
    {
        while (RunClock.Now is var now && now < moment())
        {
            if (_stopping.IsCancellationRequested || (!_settings.Reconnects && Totals().ConnectionsLost >= _settings.ConnectionCount))
            {
                _context.Clock.StopNow();
                return;
            }

            long next = Math.Min(moment(), _last.At + Stopwatch.Frequency);
            await Task.Delay(TimeSpan.FromSeconds(Math.Clamp(Seconds(next - now), 0.001, 0.1)), CancellationToken.None);
            if (RunClock.Now >= _last.At + Stopwatch.Frequency)
            {
                Progress();
            }
        }
    }

    private async Task DrainAsync()
    {
        if (_settings.Publishers == 0)
        {
            return;
        }

        long end = RunClock.Now + RunClock.Ticks(_settings.Drain);
        long quietSince = RunClock.Now;
        var before = Totals();
        bool qualityZero = Math.Min(_settings.PublishQualityOfService, _settings.SubscribeQualityOfService) == 0;
        while (RunClock.Now < end)
        {
            await Task.Delay(20, CancellationToken.None);
            var now = Totals();
            long promised = _settings.PublishQualityOfService == 0 ? now.Published : now.Acknowledged;
            bool acknowledged = _settings.PublishQualityOfService == 0 || now.Published == now.Acknowledged + now.Refused;
            if (acknowledged && now.Delivered >= promised * _settings.DeliveriesPerMessage)
            {
                break;
            }

            if (now != before)
            {
                quietSince = RunClock.Now;
                before = now;
            }
            else if ((qualityZero && Seconds(RunClock.Now - quietSince) > 1) || now.ConnectionsLost >= _settings.ConnectionCount)
            {
                break;
            }
        }

        // A moment for messages that should not come at all.
        await Task.Delay(100, CancellationToken.None);
    }

    private void Progress()
    {
        var now = Totals();
        WatchLost(now);
        double seconds = Seconds(now.At - _last.At);
        var latency = new LatencyHistogram();
        _workers.ForEach(w => latency.Add(w.Counters.Progress));
        var whole = new LatencyHistogram();
        whole.Add(latency);
        latency.Subtract(_lastProgress);
        _lastProgress.Clear();
        _lastProgress.Add(whole);
        string phase = now.At < _context.Clock.MeasureFrom ? "warm-up" : "measure";
        _progress.WriteLine(
            $"{phase} published {(now.Published - _last.Published) / seconds:F0}/s acknowledged {(now.Acknowledged - _last.Acknowledged) / seconds:F0}/s "
            + $"delivered {(now.Delivered - _last.Delivered) / seconds:F0}/s p50 {latency.Percentile(0.5) / 1e6:F3} ms");
        _last = (now.Published, now.Acknowledged, now.Delivered, now.At);
        Sample(start: false);
    }

    /// <summary>How long it takes until all connections that were lost are back, to the progress' second.</summary>
    private void WatchLost(RunTotals now)
    {
        if (!_settings.Reconnects || now.ConnectionsLost == 0)
        {
            return;
        }

        _lostSince ??= _last.At;
        if (now.ConnectionsBack < now.ConnectionsLost)
        {
            _areBack = false;
            _progress.WriteLine($"connections back {now.ConnectionsBack} of {now.ConnectionsLost}");
        }
        else if (!_areBack)
        {
            _areBack = true;
            _progress.WriteLine($"all {now.ConnectionsLost} lost connections are back after {Seconds(now.At - _lostSince.Value):F0} s");
        }
    }

    private void Sample(bool start)
    {
        _machineEnd = MachineSample.Take();
        if (start)
        {
            _machineStart = _machineEnd;
        }

        foreach (var process in _processes)
        {
            if (start)
            {
                process.Start();
            }
            else
            {
                process.Sample();
            }
        }
    }

    private RunTotals Totals()
    {
        var totals = new RunTotals { At = RunClock.Now };
        foreach (var counters in _workers.Select(w => w.Counters))
        {
            totals.Published += Volatile.Read(ref counters.Published);
            totals.Acknowledged += Volatile.Read(ref counters.Acknowledged);
            totals.Refused += Volatile.Read(ref counters.Refused);
            totals.Delivered += Volatile.Read(ref counters.Delivered);
            totals.ConnectionsLost += Volatile.Read(ref counters.ConnectionsLost);
            totals.ConnectionsBack += Volatile.Read(ref counters.ConnectionsBack);
        }

        return totals;
    }

    private RunResult AddUp(DateTimeOffset startedAt, double connectSeconds, RunTotals from, RunTotals to)
    {
        var all = Totals();
        var endToEnd = new LatencyHistogram();
        var acknowledgement = new LatencyHistogram();
        _workers.ForEach(w => endToEnd.Add(w.Counters.EndToEnd));
        _workers.ForEach(w => acknowledgement.Add(w.Counters.Acknowledgement));
        var publishers = _workers.SelectMany(w => w.Publishers).ToList();
        var subscribers = _workers.SelectMany(w => w.Subscribers).ToList();
        long lost = 0;
        foreach (var publisher in publishers)
        {
            var notPromised = publisher.NotPromised().ToList();
            if (_settings.Scenario == Scenario.Shared)
            {
                var group = _context.Group[publisher.Index];
                lost += group.MissingBefore(publisher.Sent) - notPromised.Count(group.IsMissing);
            }

            foreach (var subscriber in subscribers)
            {
                if (subscriber.TrackerOf(publisher.Index) is { } tracker)
                {
                    lost += tracker.MissingBefore(publisher.Sent) - notPromised.Count(s => tracker.IsMissing(s));
                }
            }
        }

        var irregular = subscribers.Select(s => s.Irregularities()).ToList();
        long duplicates = irregular.Sum(i => i.Duplicates) + _context.Group.Sum(group => group.Duplicates);
        long outOfOrder = irregular.Sum(i => i.OutOfOrder);
        int quality = Math.Min(_settings.PublishQualityOfService, _settings.SubscribeQualityOfService);
        bool promiseBroken = (quality >= 1 && (lost > 0 || (outOfOrder > 0 && _settings.Scenario != Scenario.Shared))) || (quality == 2 && duplicates > 0)
            || (all.ConnectionsLost > 0 && _settings.Scenario != Scenario.Ledger);

        double seconds = Math.Max(Seconds(to.At - from.At), 1e-9);
        long messages = _settings.Subscribers > 0 ? to.Delivered - from.Delivered
            : _settings.PublishQualityOfService > 0 ? to.Acknowledged - from.Acknowledged : to.Published - from.Published;
        return new RunResult
        {
            Scenario = _settings.Scenario.ToString(),
            StartedAt = startedAt,
            Settings = _settings,
            MeasuredSeconds = seconds,
            PublishedPerSecond = (to.Published - from.Published) / seconds,
            AcknowledgedPerSecond = (to.Acknowledged - from.Acknowledged) / seconds,
            DeliveredPerSecond = (to.Delivered - from.Delivered) / seconds,
            Published = all.Published,
            Acknowledged = all.Acknowledged,
            Refused = all.Refused,
            Unacknowledged = _settings.PublishQualityOfService > 0 ? all.Published - all.Acknowledged - all.Refused : 0,
            Unsent = _settings.Rate > 0 ? publishers.Sum(p => p.Due) : 0,
            Delivered = all.Delivered,
            Lost = lost,
            Duplicates = duplicates,
            OutOfOrder = outOfOrder,
            Redelivered = _workers.Sum(w => w.Counters.Redelivered),
            Foreign = _workers.Sum(w => w.Counters.Foreign),
            Connections = _settings.ConnectionCount,
            ConnectSeconds = connectSeconds,
            ConnectionsLost = all.ConnectionsLost,
            FirstError = _context.Errors.First?.Message,
            EndToEnd = LatencySummary.Of(endToEnd),
            Acknowledgement = LatencySummary.Of(acknowledgement),
            StolenPercent = Math.Round(_machineEnd.StolenPercentSince(_machineStart), 1),
            Processes = [.. _processes.Select(p => p.ToResult(messages, _settings.Scenario == Scenario.Connections ? _settings.Idle : 0))],
            ExitCode = promiseBroken ? ExitCodes.PromiseBroken : ExitCodes.Ok,
        };
    }
}
