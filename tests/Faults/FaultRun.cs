using System.Diagnostics;

namespace OrleansMqtt.Faults;

/// <summary>A cluster, its load, and one fault after the other; after each, everything is counted.</summary>
internal sealed class FaultRun : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private readonly TestCluster _cluster;
    private readonly EdgePorts _ports;
    private readonly FaultLoad _load;
    private readonly FaultInjector _injector;
    private readonly List<FaultRow> _rows = [];
    private int _notes;

    private FaultRun(TestCluster cluster, int seed, int silos, string siloRoles, TimeSpan outage)
    {
        _cluster = cluster;
        _ports = new(cluster);
        _load = new(_ports);
        _injector = new(cluster, _ports, _load, new(seed), silos, siloRoles, outage);
    }

    public IReadOnlyList<FaultRow> Rows => _rows;

    /// <summary>What the processes wrote.</summary>
    public string Logs => _cluster.Logs();

    public string Summary =>
        $"{_rows.Count} faults, {_rows.Sum(row => row.Acknowledged)} acknowledged, {_rows.Sum(row => row.Delivered)} delivered, lost {_rows.Sum(row => row.Lost)}, QoS 2 duplicates {_rows.Sum(row => row.Duplicates)}, "
        + $"out of order {_rows.Sum(row => row.OutOfOrder)}, sessions lost {_rows.Sum(row => row.LostSessions)}, wills wrong {_rows.Sum(row => row.WrongWills)}, violations {_rows.Sum(row => row.Violations)}, "
        + $"connections closed without need {_rows.Where(row => !row.MayClose).Sum(row => row.Closed)}, not settled {_rows.Count(row => !row.HasSettled)}";

    public static async Task<FaultRun> StartAsync(int seed, int silos, int edges, TimeSpan outage, bool isNetworked = false, string siloRoles = "silo")
    {
        var network = isNetworked ? TestNetwork.Create() : null;
        FaultRun run = new(await TestCluster.StartAsync(silos, edges, siloRoles, hasOwnKafka: true, network: network, isAdvertised: true), seed, silos, siloRoles, outage);
        await run._load.StartAsync(Limit);
        return run;
    }

    /// <summary>One fault under load; then the load pauses until all has arrived.</summary>
    /// <param name="kind">The fault.</param>
    /// <param name="print">Gets the row, and what is wrong.</param>
    public async Task<FaultRow> RunAsync(FaultKind kind, Action<string> print)
    {
        var ledger = _load.Ledger;
        var (acknowledged, delivered, lost, duplicates, disorder, sessions, violations) =
            (ledger.Acknowledged, ledger.Received, _load.Lost, _load.Duplicates, ledger.OutOfOrder, ledger.LostSessions, ledger.Violations.Count);
        if (!await _load.SpreadAsync(Limit))
        {
            throw new TimeoutException($"The clients are not back at their edges: {_load.Describe()}");
        }

        // Those that were sent back to their edges.
        var closedBefore = _load.Closed;
        using FaultWills wills = new(_load.Prefix, _rows.Count, _ports, ledger);
        await wills.StartAsync();
        var begun = Stopwatch.GetTimestamp();
        _load.Resume();
        await RequireServiceAsync(begun, kind, "before");
        _load.RestartGauges();
        await _injector.InjectAsync(kind, wills.Drop);
        await RequireServiceAsync(Stopwatch.GetTimestamp(), kind, "after");
        var (publishing, delivery) = _load.Pauses;
        var longest = _load.DescribePauses();
        await wills.EndAsync();
        var hasSettled = await FaultLoad.WaitAsync(() => wills.IsComplete, Limit) & await _load.SettleAsync(Limit);
        var closed = _load.Closed - closedBefore;
        FaultRow row = new(
            kind, ledger.Acknowledged - acknowledged, ledger.Received - delivered, _load.Lost - lost, _load.Duplicates - duplicates, ledger.OutOfOrder - disorder, ledger.LostSessions - sessions, wills.Wrong,
            ledger.Violations.Count - violations, closed, _injector.MayClose(kind), _injector.LeastClosed, hasSettled, publishing, delivery, _injector.Expected(kind));
        _rows.Add(row);
        print(row.ToString());
        if (!row.IsInTime)
        {
            print($"  without service: {longest}");
        }

        foreach (var note in ledger.Violations.Skip(violations).Concat(ledger.Notes.Skip(_notes)).Take(20))
        {
            print($"  {note}");
        }

        if (!hasSettled)
        {
            print($"  not complete after {Limit.TotalSeconds} s: {_load.Describe()}");
        }

        _notes = ledger.Notes.Count;
        if (wills.Wrong > 0)
        {
            print($"  wills: {wills.Describe()}");
        }

        return row;
    }

    public async ValueTask DisposeAsync()
    {
        await _load.StopAsync();
        _load.Dispose();
        await _cluster.DisposeAsync();
    }

    private async Task RequireServiceAsync(long moment, FaultKind kind, string when)
    {
        if (!await _load.WaitForServiceAsync(moment, Limit))
        {
            throw new TimeoutException($"Without service {when} {kind} for {Limit}: {_load.WithoutService(moment)}");
        }
    }
}
