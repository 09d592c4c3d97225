namespace OrleansMqtt.LoadGenerator.Measuring;

/// <summary>A process whose CPU and memory a run reports.</summary>
internal sealed class WatchedProcess(string name, int processId)
{
    private ProcessSample? _start;
    private ProcessSample? _end;
    private long _peak;

    public string Name { get; } = name;

    public int ProcessId { get; } = processId;

    public void Start()
    {
        _start = _end = ProcessSample.Take(ProcessId);
        _peak = _start?.ResidentBytes ?? 0;
    }

    /// <summary>Samples; the last call counts as the end of the measured interval.</summary>
    public void Sample()
    {
        if (ProcessSample.Take(ProcessId) is { } sample)
        {
            _end = sample;
            _peak = Math.Max(_peak, sample.ResidentBytes);
        }
    }

    /// <param name="messages">What the CPU time is divided by.</param>
    /// <param name="connections">What the memory gained is divided by; 0: not shown.</param>
    public ProcessResult ToResult(long messages, long connections)
    {
        double cpu = (_end?.CpuSeconds ?? 0) - (_start?.CpuSeconds ?? 0);
        long start = _start?.ResidentBytes ?? 0;
        long end = _end?.ResidentBytes ?? 0;
        return new ProcessResult(
            Name,
            ProcessId,
            Math.Round(cpu, 2),
            messages > 0 ? Math.Round(cpu * 1e6 / messages, 2) : null,
            start,
            end,
            _peak,
            connections > 0 ? (end - start) / connections : null);
    }
}
