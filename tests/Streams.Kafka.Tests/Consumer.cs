using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Threading.Channels;
using OrleansMqtt.Log;

namespace OrleansMqtt.Streams.Kafka.Tests;

/// <summary>What the consumer of one stream has got, and how it is to behave. Outlives its grain, as a checkpoint would.</summary>
public sealed class Consumer
{
    private static readonly ConcurrentDictionary<string, Consumer> All = new();
    private readonly Channel<int> _received = Channel.CreateUnbounded<int>();
    private readonly TaskCompletionSource _subscribed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _next = -1;

    public Task Subscribed => _subscribed.Task;

    /// <summary>Where the grain wants to start; null names no token.</summary>
    public long? StartAt { get; set; } = 0;

    /// <summary>Whether the grain goes on from the last batch it has taken.</summary>
    public bool Continues { get; set; }

    public int Failures { get; set; }

    public Func<LogBatch, Task>? Before { get; set; }

    public bool BatchesJoin { get; private set; } = true;

    public long FirstFrom { get; private set; } = -1;

    /// <summary>The silo of the grain's latest activation.</summary>
    public string? Silo { get; private set; }

    public static Consumer Of(string stream) => All.GetOrAdd(stream, _ => new());

    public async Task<List<int>> ReceiveAsync(int count)
    {
        using CancellationTokenSource timeout = new(TimeSpan.FromSeconds(30));
        List<int> values = new(count);
        while (values.Count < count)
        {
            values.Add(await _received.Reader.ReadAsync(timeout.Token));
        }

        return values;
    }

    internal LogOffsetToken? Start(string silo)
    {
        Silo = silo;
        if (Continues && _next >= 0)
        {
            return new(_next);
        }

        _next = StartAt ?? -1;
        return StartAt is { } offset ? new(offset) : null;
    }

    internal void OnSubscribed() => _subscribed.TrySetResult();

    internal async Task TakeAsync(LogBatch batch)
    {
        if (Before is { } before)
        {
            await before(batch);
        }

        if (Failures > 0)
        {
            Failures--;
            throw new InvalidOperationException("Not yet.");
        }

        FirstFrom = FirstFrom < 0 ? batch.From : FirstFrom;
        BatchesJoin &= _next < 0 || _next == batch.From;
        _next = batch.To;
        foreach (var record in batch.Records)
        {
            _received.Writer.TryWrite(int.Parse(Encoding.UTF8.GetString(record.Value!.Value.Span), CultureInfo.InvariantCulture));
        }
    }
}
