using System.Collections.Concurrent;
using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using OrleansMqtt.TestKit;
using Xunit;

namespace OrleansMqtt.Log.Tests;

/// <summary>What tests of logs have in common.</summary>
public abstract class LogTests
{
    protected static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    /// <summary>For what waits for a Kafka that was away.</summary>
    protected static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    protected static CancellationToken Token => new CancellationTokenSource(Limit).Token;

    protected string Topic { get; } = $"t{Guid.NewGuid():N}";

    protected static ServiceProvider Open(Dictionary<string, string?> settings) => new ServiceCollection()
        .AddLogging()
        .AddMessageLog(new ConfigurationBuilder().AddInMemoryCollection(settings).Build())
        .BuildServiceProvider();

    protected static Dictionary<string, string?> SettingsFor(KafkaBroker broker, string transport) =>
        new() { ["Kafka:BootstrapServers"] = broker.BootstrapServers, ["Kafka:Transport"] = transport };

    protected static LogRecord Record(string key, string value, int? partition = null) =>
        new() { Key = Encoding.UTF8.GetBytes(key), Value = Encoding.UTF8.GetBytes(value), Headers = [], Partition = partition };

    protected static async Task UntilAsync(Func<bool> condition)
    {
        var deadline = DateTime.UtcNow.AddSeconds(60);
        while (!condition())
        {
            Assert.True(DateTime.UtcNow < deadline, "It did not come true.");
            await Task.Delay(20);
        }
    }

    protected static IEnumerable<string> Values(IEnumerable<LogBatch> batches) =>
        batches.SelectMany(batch => batch.Records).Select(record => Encoding.UTF8.GetString(record.Value!.Value.Span));

    protected static async Task<List<string>> ReadValuesAsync(ILogReader reader, int count)
    {
        List<string> values = [];
        var next = reader.Position;
        while (values.Count < count)
        {
            var batch = await reader.ReadAsync(1_000, new CancellationTokenSource(Patience).Token);
            Assert.Equal(next, batch.From);
            next = batch.To;
            values.AddRange(Values([batch]));
        }

        return values;
    }

    protected sealed class Completions(int count) : IAppendCompletion
    {
        private readonly ConcurrentDictionary<long, AppendResult> _results = [];
        private readonly TaskCompletionSource<AppendResult[]> _all = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Count => _results.Count;

        public Task<AppendResult[]> All => _all.Task;

        public void OnAppended(long state, in AppendResult result)
        {
            if (!_results.TryAdd(state, result))
            {
                _all.TrySetException(new InvalidOperationException($"Completed twice: {state}"));
            }
            else if (_results.Count == count)
            {
                _all.TrySetResult([.. _results.OrderBy(pair => pair.Key).Select(pair => pair.Value)]);
            }
        }
    }
}
