namespace OrleansMqtt.LoadGenerator.Engine;

/// <summary>Collects what went wrong on any worker; the first one is shown.</summary>
internal sealed class RunErrors
{
    private LoadException? _first;

    public LoadException? First => Volatile.Read(ref _first);

    public void Report(LoadException error) => Interlocked.CompareExchange(ref _first, error, null);
}
