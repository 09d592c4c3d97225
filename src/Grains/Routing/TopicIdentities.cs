using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OrleansMqtt.Log;

namespace OrleansMqtt.Grains;

/// <summary>
/// Notices when a topic was deleted and made anew while the server runs: offsets and references mean nothing in the new one, whose end may have passed them before anybody looks. Who
/// keeps offsets of a topic asks for its identity when it begins, and begins again when it has another one. Any thread.
/// </summary>
internal sealed partial class TopicIdentities(IMessageLog log, TopicRoutes routes, RetainedPartitions retained, TimeProvider time, ILogger<TopicIdentities> logger) : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(2);
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Guid> _known = new(StringComparer.Ordinal);

    /// <summary>Raised with the name of a topic that was made anew.</summary>
    public event Action<string>? Changed;

    /// <summary>Asks the log for the identities of the topics of partitions.</summary>
    public async Task<Guid[]> ReadAsync(IReadOnlyList<TopicPartitionId> partitions, CancellationToken cancellationToken)
    {
        string[] topics = [.. partitions.Select(static partition => partition.Topic).Distinct(StringComparer.Ordinal)];
        var ids = await log.GetTopicIdsAsync(topics, cancellationToken);
        Note(topics, ids);
        return [.. partitions.Select(partition => ids[Array.IndexOf(topics, partition.Topic)])];
    }

    /// <summary>Whether a topic still has the identity that it had, as far as is known now.</summary>
    public bool IsStill(string topic, Guid id)
    {
        lock (_gate)
        {
            return id == Guid.Empty || !_known.TryGetValue(topic, out var known) || known == id;
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        string[] topics = [.. routes.Topics, retained.Topic];
        using PeriodicTimer timer = new(Period, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            Note(topics, await log.GetTopicIdsAsync(topics, stoppingToken));
        }
    }

    private void Note(string[] topics, Guid[] ids)
    {
        for (var i = 0; i < topics.Length; i++)
        {
            if (ids[i] != Guid.Empty && IsOther(topics[i], ids[i]))
            {
                LogAnew(topics[i]);
                Changed?.Invoke(topics[i]);
            }
        }
    }

    private bool IsOther(string topic, Guid id)
    {
        lock (_gate)
        {
            var isOther = _known.TryGetValue(topic, out var known) && known != id;
            _known[topic] = id;
            return isOther;
        }
    }

    [LoggerMessage(LogLevel.Error, "Topic '{Topic}' was deleted and made anew: what sessions had waiting of the old one is lost, and they go on from the start of the new one")]
    private partial void LogAnew(string topic);
}
