using Microsoft.Extensions.Options;
using OrleansMqtt.Grains;
using OrleansMqtt.Log;

namespace OrleansMqtt.Silo;

/// <summary>Makes sure that the topics are there before anything reads or writes them: the first of the hosted services.</summary>
internal sealed partial class LogStartup(IMessageLog log, IOptions<TopicsOptions> topics, ILogger<LogStartup> logger) : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var all = topics.Value.AllTopics();
        await log.EnsureTopicsAsync(all, cancellationToken);
        LogReady(log.Description, string.Join(", ", all.Select(topic => $"{topic.Name} ({log.GetPartitionCount(topic.Name)})")));
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(Level = LogLevel.Information, Message = "Messages live on {Log}; topics (partitions): {Topics}")]
    private partial void LogReady(string log, string topics);
}
