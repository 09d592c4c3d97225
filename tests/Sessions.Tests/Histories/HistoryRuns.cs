using System.Collections.Concurrent;
using OrleansMqtt.Sessions.Tests.Servers;

namespace OrleansMqtt.Sessions.Tests.Histories;

/// <summary>Runs many histories against one server.</summary>
internal sealed class HistoryRuns(IServerUnderTest server, int seed, TimeSpan limit)
{
    private const int Parallel = 100;
    private const int LongestReports = 3;
    private readonly ConcurrentBag<string> _failures = [];
    private int _histories;
    private int _steps;
    private int _messages;
    private int _crashes;

    /// <summary>The reports of the first histories that failed, or null.</summary>
    public string? Failures => _failures.IsEmpty
        ? null
        : $"{_failures.Count} of {_histories} histories failed.\n{string.Join('\n', _failures.Take(LongestReports))}\nThe server's output:\n{string.Join('\n', server.Output.TakeLast(40))}";

    public string Summary => $"{_histories} histories of seed {seed}: {_steps} steps, {_messages} messages, {_crashes} crashes, {_failures.Count} failed";

    /// <summary>Histories in batches, all of one batch together; in each the server crashes so many times.</summary>
    public async Task RunAsync(IEnumerable<int> numbers, int crashes)
    {
        foreach (var batch in numbers.Chunk(Parallel))
        {
            CrashBarrier barrier = new(batch.Length, async () =>
            {
                await server.CrashAsync();
                await server.StartAgainAsync();
            });
            await Task.WhenAll(batch.Select(number => Task.Run(() => RunAsync(number, crashes, barrier))));
            _crashes += barrier.Crashes;
        }
    }

    private async Task RunAsync(int number, int crashes, CrashBarrier barrier)
    {
        using History history = new(server, seed, number, crashes, limit);
        try
        {
            await history.RunAsync(barrier.ArriveAsync);
        }
        finally
        {
            barrier.Leave();
        }

        Interlocked.Increment(ref _histories);
        Interlocked.Add(ref _steps, history.Steps);
        Interlocked.Add(ref _messages, history.Messages);
        if (history.HasFailed)
        {
            _failures.Add(history.Report());
        }
    }
}
