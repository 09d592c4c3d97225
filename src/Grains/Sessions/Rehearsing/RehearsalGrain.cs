using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using OrleansMqtt.Log;
using OrleansMqtt.Storage.Kafka;

namespace OrleansMqtt.Grains;

/// <summary>
/// A process that has just started is slow at all that it does for the first time: connects to Kafka, compiles, knows nothing. A partition that moves to it would be without service
/// for as long. So it does all of that once before, with the partition's present owner undisturbed: it owns nothing, and writes nothing.
/// </summary>
[Reentrant, KeepAlive]
internal sealed partial class RehearsalGrain(
    IMessageLog log, TopicRoutes routes, SessionPartitions partitions, RetainedPartitions retainedPartitions, EdgeServices edges, ILocalSiloDetails silo, ILogger<RehearsalGrain> logger)
    : Grain, IRehearsalGrain
{
    private const int SomeRecords = 200;
    private Task? _rehearsal;

    public Task Rehearse() => _rehearsal ??= RunAsync();

    private async Task RunAsync()
    {
        try
        {
            await Task.WhenAll(OwnAsync(), LoadAsync(), AskEdgesAsync());
        }
        catch (Exception exception)
        {
            // It goes without.
            LogFailed(exception);
        }
    }

    /// <summary>Becomes the owner of a name that nobody else uses.</summary>
    private async Task OwnAsync()
    {
        var partition = partitions.Of(0);
        await using var store = await PartitionStore.OpenSharedAsync(log, partition, $"{partition.Topic}-rehearsal-{silo.SiloAddress.Endpoint}", logger, CancellationToken.None);
        await store.CommitAsync([]);
    }

    /// <summary>Reads some of a partition's sessions.</summary>
    private async Task LoadAsync()
    {
        var sources = routes.PartitionsOn(log);
        var sessions = partitions.Of(0);
        var offsets = await log.GetOffsetsAsync([sessions, .. sources], CancellationToken.None);
        if (offsets[0].Start == offsets[0].End)
        {
            return;
        }

        SessionLoader loader = new(logger);
        var batch = await log.ReadRangeAsync(sessions.Topic, sessions.Partition, offsets[0].Start, SomeRecords, CancellationToken.None);
        foreach (var record in batch.Records)
        {
            if (record is { Key: { } key, Value: { } value })
            {
                loader.Add(new(key, value, record.Offset));
            }
        }

        SourceNumbers numbers = new(loader.Positions, [.. sources, .. retainedPartitions.All], retainedPartitions.All.Count);
        LogRehearsed(loader.CreateSessions(new(), numbers).Count());
    }

    /// <summary>Asks for the connection of a number that none has.</summary>
    private async Task AskEdgesAsync()
    {
        foreach (var edge in edges.Living.ToArray())
        {
            await edges.Of(edge).CloseTakenOver(connectionId: 0);
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Ready to take partitions over, after a look at {Count} sessions")]
    private partial void LogRehearsed(int count);

    [LoggerMessage(Level = LogLevel.Debug, Message = "A part of what comes with the first partition could not be done before")]
    private partial void LogFailed(Exception exception);
}
