using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using OrleansMqtt.Log;

namespace OrleansMqtt.LogClients;

/// <summary>One client, one topic of its own, and the processor time of this process.</summary>
internal sealed class ClientMeasurement : IAsyncDisposable, IAppendCompletion
{
    private readonly string _topic = $"log-clients-{Guid.NewGuid():N}";
    private readonly string _transport;
    private readonly int _partitions;
    private readonly byte[] _value;
    private readonly byte[][] _keys = [.. Enumerable.Range(0, 100).Select(i => System.Text.Encoding.UTF8.GetBytes($"site/{i}/temperature"))];
    private readonly LogHeader[] _headers = [new("zilla:qos", "1"u8.ToArray()), new("zilla:local", "sensor-7"u8.ToArray())];
    private readonly ServiceProvider _services;
    private readonly IMessageLog _log;
    private long _acknowledged;
    private long _failed;
    private long _latencyTicks;

    public ClientMeasurement(string servers, string transport, int partitions, int size)
    {
        (_transport, _partitions, _value) = (transport, partitions, new byte[size]);
        Random.Shared.NextBytes(_value);
        Dictionary<string, string?> settings = new() { ["Kafka:BootstrapServers"] = servers, ["Kafka:Transport"] = transport };
        _services = new ServiceCollection().AddLogging().AddMessageLog(new ConfigurationBuilder().AddInMemoryCollection(settings).Build()).BuildServiceProvider();
        _log = _services.GetRequiredService<IMessageLog>();
    }

    public Task PrepareAsync(CancellationToken cancellationToken) => _log.EnsureTopicsAsync([new(_topic, _partitions, IsCompacted: false)], cancellationToken);

    public async Task<string> AppendAsync(int rate, int window, TimeSpan duration)
    {
        Cost cost = new();
        var (before, latencyBefore) = (_acknowledged, _latencyTicks);
        var appended = before;
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < duration)
        {
            var due = rate == 0 ? long.MaxValue : before + (long)(rate * clock.Elapsed.TotalSeconds);
            if (appended - Volatile.Read(ref _acknowledged) >= window || appended >= due)
            {
                Thread.Sleep(1);
                continue;
            }

            for (var i = 0; i < 100 && appended < due; i++)
            {
                _log.Append(_topic, new() { Key = _keys[appended % _keys.Length], Value = _value, Headers = _headers }, this, Stopwatch.GetTimestamp());
                appended++;
            }
        }

        while (Volatile.Read(ref _acknowledged) < appended)
        {
            await Task.Delay(1);
        }

        var count = appended - before;
        var latency = TimeSpan.FromSeconds((_latencyTicks - latencyBefore) / (double)Stopwatch.Frequency / count);
        return $"{_transport,-10} append {count / clock.Elapsed.TotalSeconds,9:N0}/s  {cost.Describe(count)}  {latency.TotalMilliseconds,6:N2} ms on average  {_failed} failed";
    }

    public async Task<string> ReadAsync(CancellationToken cancellationToken)
    {
        var ends = await _log.GetOffsetsAsync([.. Enumerable.Range(0, _partitions).Select(partition => new TopicPartitionId(_topic, partition))], cancellationToken);
        Cost cost = new();
        var clock = Stopwatch.StartNew();
        var counts = await Task.WhenAll(ends.Select(async (range, partition) =>
        {
            await using var reader = _log.OpenReader(_topic, partition, 0);
            var count = 0L;
            while (reader.Position < range.End)
            {
                count += (await reader.ReadAsync(1_000, cancellationToken)).Records.Length;
            }

            return count;
        }));
        return $"{_transport,-10} read   {counts.Sum() / clock.Elapsed.TotalSeconds,9:N0}/s  {cost.Describe(counts.Sum())}";
    }

    public async ValueTask DisposeAsync() => await _services.DisposeAsync();

    public void OnAppended(long state, in AppendResult result)
    {
        Interlocked.Add(ref _latencyTicks, Stopwatch.GetTimestamp() - state);
        if (!result.IsStored)
        {
            Interlocked.Increment(ref _failed);
        }

        Interlocked.Increment(ref _acknowledged);
    }

    private sealed class Cost
    {
        private readonly Stopwatch _clock = Stopwatch.StartNew();
        private readonly long _requests = Requests();
        private readonly TimeSpan _processor = Environment.CpuUsage.TotalTime;
        private readonly long _allocated = GC.GetTotalAllocatedBytes(precise: true);

        public string Describe(long count) =>
            $"{(Environment.CpuUsage.TotalTime - _processor).TotalMicroseconds / count,6:N2} µs of CPU  {(GC.GetTotalAllocatedBytes(precise: true) - _allocated) / (double)count,6:N0} B of garbage  {(Requests() - _requests) / _clock.Elapsed.TotalSeconds,6:N0} requests/s";

        /// <summary>The requests of the wire client; of the other one they are not known here.</summary>
        private static long Requests()
        {
            var requests = 0L;
            using MeterListener listener = new();
            listener.InstrumentPublished = (instrument, listening) =>
            {
                if (instrument.Name.EndsWith(".requests", StringComparison.Ordinal))
                {
                    listening.EnableMeasurementEvents(instrument);
                }
            };
            listener.SetMeasurementEventCallback<long>((_, measurement, _, _) => requests += measurement);
            listener.Start();
            listener.RecordObservableInstruments();
            return requests;
        }
    }
}
