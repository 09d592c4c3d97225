using System.Globalization;
using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OrleansMqtt.Log;
using OrleansMqtt.TestKit;

namespace OrleansMqtt.Streams.Kafka.Tests;

/// <summary>A log with a topic of its own.</summary>
internal sealed class TestLog : IAsyncDisposable
{
    private readonly ServiceProvider _services;
    private readonly string? _directory;

    private TestLog(ServiceProvider services, string? directory) => (_services, _directory, Log) = (services, directory, services.GetRequiredService<IMessageLog>());

    public IMessageLog Log { get; }

    public string Topic { get; } = $"t{Guid.NewGuid():N}";

    public static async Task<TestLog> CreateAsync(string kind, int partitions, Dictionary<string, string?>? settings = null)
    {
        var directory = kind == "Embedded" ? Directory.CreateTempSubdirectory("orleansmqtt-streams-").FullName : null;
        settings = settings is null ? [] : new(settings);
        if (directory is not null)
        {
            settings["Embedded:Directory"] = directory;
        }
        else
        {
            settings["Kafka:BootstrapServers"] = (await KafkaBroker.SharedAsync()).BootstrapServers;
        }

        ServiceCollection services = new();
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Warning));
        services.AddMessageLog(new ConfigurationBuilder().AddInMemoryCollection(settings).Build());
        TestLog log = new(services.BuildServiceProvider(), directory);
        await log.Log.EnsureTopicsAsync([new(log.Topic, partitions, IsCompacted: false)], CancellationToken.None);
        return log;
    }

    public async Task<OffsetRange> GetOffsetsAsync(int partition) => (await Log.GetOffsetsAsync([new(Topic, partition)], CancellationToken.None))[0];

    /// <returns>Completes when the last record is stored.</returns>
    public Task AppendAsync(int partition, int first, int count)
    {
        Appended appended = new(count);
        for (var i = first; i < first + count; i++)
        {
            var value = Encoding.UTF8.GetBytes(i.ToString(CultureInfo.InvariantCulture));
            Log.Append(Topic, new() { Key = "k"u8.ToArray(), Value = value, Headers = [], Partition = partition }, appended, 0);
        }

        return appended.Task;
    }

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        if (_directory is not null)
        {
            Directory.Delete(_directory, recursive: true);
        }
    }

    private sealed class Appended(int count) : IAppendCompletion
    {
        private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _open = count;

        public Task Task => _completion.Task;

        public void OnAppended(long state, in AppendResult result)
        {
            if (result.Error is { } error)
            {
                _completion.TrySetException(new InvalidOperationException(error));
            }
            else if (Interlocked.Decrement(ref _open) == 0)
            {
                _completion.TrySetResult();
            }
        }
    }
}
