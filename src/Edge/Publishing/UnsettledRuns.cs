namespace OrleansMqtt.Edge.Publishing;

/// <summary>Counts the runs of one connection that are under way, by their path.</summary>
internal sealed class UnsettledRuns
{
    private readonly Lock _gate = new();
    private List<(RunPaths Paths, TaskCompletionSource Settled)>? _waiters;
    private int _log;
    private int _session;
    private int _releases;
    private int _retained;

    /// <summary>Whether a run of one of the paths is under way.</summary>
    public bool Any(RunPaths paths)
        => ((paths & RunPaths.Log) != 0 && Volatile.Read(ref _log) > 0)
            || ((paths & RunPaths.Session) != 0 && Volatile.Read(ref _session) > 0)
            || ((paths & RunPaths.Releases) != 0 && Volatile.Read(ref _releases) > 0)
            || ((paths & RunPaths.Retained) != 0 && Volatile.Read(ref _retained) > 0);

    public void Add(RunPaths path)
    {
        lock (_gate)
        {
            Change(path, 1);
        }
    }

    public void Remove(RunPaths path)
    {
        lock (_gate)
        {
            Change(path, -1);
            for (var i = (_waiters?.Count ?? 0) - 1; i >= 0; i--)
            {
                if (!Any(_waiters![i].Paths))
                {
                    _waiters[i].Settled.TrySetResult();
                    _waiters.RemoveAt(i);
                }
            }
        }
    }

    /// <summary>Completes when no run of the paths is under way.</summary>
    public Task WaitAsync(RunPaths paths)
    {
        lock (_gate)
        {
            if (!Any(paths))
            {
                return Task.CompletedTask;
            }

            var settled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            (_waiters ??= []).Add((paths, settled));
            return settled.Task;
        }
    }

    private void Change(RunPaths path, int difference)
    {
        switch (path)
        {
            case RunPaths.Log:
                _log += difference;
                break;
            case RunPaths.Session:
                _session += difference;
                break;
            case RunPaths.Releases:
                _releases += difference;
                break;
            case RunPaths.Retained:
                _retained += difference;
                break;
        }
    }
}
