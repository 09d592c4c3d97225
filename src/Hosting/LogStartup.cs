using Microsoft.Extensions.Options;
using OrleansMqtt.Grains;
using OrleansMqtt.Log;

namespace OrleansMqtt.Hosting;

/// <summary>Makes sure that the topics are there before anything reads or writes them.</summary>
internal sealed partial class LogStartup(IMessageLog log, IOptions<TopicsOptions> topics, StartupHealth health, ILogger<LogStartup> logger) : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var all = topics.Value.AllTopics();
        await health.WhileAsync(() => $"the log: {log.Health.Description}", cancellation => log.EnsureTopicsAsync(all, cancellation), cancellationToken);
        LogReady(log.Description, string.Join(", ", all.Select(topic => $"{topic.Name} ({log.GetPartitionCount(topic.Name)})")));
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(Level = LogLevel.Information, Message = "Messages live on {Log}; topics (partitions): {Topics}")]
    private partial void LogReady(string log, string topics);
}
