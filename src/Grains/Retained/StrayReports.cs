using Microsoft.Extensions.Logging;

namespace OrleansMqtt.Grains;

/// <summary>
/// The messages on a partition whose topics belong to others, and what those were told of them. Each is told by one call at a time, until it has heard. Used inside the turns of the
/// partition's grain only.
/// </summary>
internal sealed partial class StrayReports(int partition, Func<int, IRetainedViewGrain> grains, ILogger logger)
{
    private const int MaximumDeletions = 10_000;
    private const int MaximumBatch = 1_000;
    private readonly Dictionary<int, Dictionary<string, StrayRecord>> _all = [];
    private readonly Dictionary<int, Dictionary<string, StrayRecord>> _unsent = [];
    private readonly HashSet<int> _sending = [];

    public bool IsEmpty => _all.Count == 0;

    public void Add(int home, StrayRecord record)
    {
        var all = GetOrAdd(_all, home);
        if (record.IsDeleted && all.Count >= MaximumDeletions)
        {
            all.Remove(record.Topic);
        }
        else
        {
            all[record.Topic] = record;
        }

        GetOrAdd(_unsent, home)[record.Topic] = record;
    }

    /// <summary>A new owner of the partition knows nothing.</summary>
    public void Repeat(int home)
    {
        if (_all.TryGetValue(home, out var all))
        {
            var unsent = GetOrAdd(_unsent, home);
            foreach (var (topic, record) in all)
            {
                unsent[topic] = record;
            }
        }
    }

    /// <summary>Sends what was added.</summary>
    public void Flush()
    {
        foreach (var home in _unsent.Keys)
        {
            if (_sending.Add(home))
            {
                Send(home).Ignore();
            }
        }
    }

    private static Dictionary<string, StrayRecord> GetOrAdd(Dictionary<int, Dictionary<string, StrayRecord>> records, int home)
    {
        if (!records.TryGetValue(home, out var ofHome))
        {
            records.Add(home, ofHome = new(StringComparer.Ordinal));
        }

        return ofHome;
    }

    private async Task Send(int home)
    {
        await Task.Yield();
        while (_unsent.Remove(home, out var records))
        {
            foreach (var batch in records.Values.Chunk(MaximumBatch))
            {
                while (!await TrySend(home, batch))
                {
                    await Task.Delay(200);
                }
            }
        }

        _sending.Remove(home);
    }

    private async Task<bool> TrySend(int home, StrayRecord[] batch)
    {
        try
        {
            await grains(home).NoteStrays(partition, batch);
            return true;
        }
        catch (ObjectDisposedException)
        {
            return true;
        }
        catch (Exception exception)
        {
            LogNotTold(exception, partition, home);
            return false;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Retained partition {RetainedPartition} could not tell partition {Home} of its topics; it tries again")]
    private partial void LogNotTold(Exception exception, int retainedPartition, int home);
}
