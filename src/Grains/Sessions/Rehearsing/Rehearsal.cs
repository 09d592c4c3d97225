using System.Runtime;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OrleansMqtt.Log;
using OrleansMqtt.Storage.Kafka;

namespace OrleansMqtt.Grains;

/// <summary>
/// A process that has just started is slow at all that it does for the first time: connects to Kafka, compiles, knows nothing. A partition that moves to it would be without service
/// for as long. So it does all of that once before, with the partition's present owner undisturbed: it owns nothing, and writes nothing. What it can do alone, it does before it joins the others.
/// </summary>
internal sealed partial class Rehearsal(
    IMessageLog log,
    TopicRoutes routes,
    SessionPartitions partitions,
    RetainedPartitions retainedPartitions,
    TopicIdentities identities,
    EdgeServices edges,
    ISiloStatusOracle silos,
    IHostApplicationLifetime application,
    ILogger<Rehearsal> logger) : ILifecycleParticipant<ISiloLifecycle>
{
    private const int SomeRecords = 200;
    private const int QuietPeriods = 4;
    private const int QuietMethods = 20;

    /// <summary>With Kafka away it joins unprepared.</summary>
    private static readonly TimeSpan AloneLimit = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan SettlingLimit = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan SettlingPeriod = TimeSpan.FromMilliseconds(250);

    private readonly Lock _gate = new();
    private Task? _alone;
    private Task? _whole;
    private Task? _settled;

    public void Participate(ISiloLifecycle lifecycle) => lifecycle.Subscribe<Rehearsal>(ServiceLifecycleStage.BecomeActive - 1, BeforeJoiningAsync);

    /// <summary>Completes when this silo has rehearsed, or could not.</summary>
    public Task RunOnceAsync()
    {
        lock (_gate)
        {
            return _whole ??= Task.Run(RunAsync);
        }
    }

    /// <summary>
    /// Waits, for some seconds at most, until the process compiles hardly anything any more. What it has used until then is compiled again in the background, which takes the processors
    /// from a partition that moves.
    /// </summary>
    public Task SettleAsync()
    {
        lock (_gate)
        {
            return _settled ??= Task.Run(() => TryAsync(() => WatchCompilerAsync().WaitAsync(SettlingLimit)));
        }
    }

    private async Task BeforeJoiningAsync(CancellationToken cancellationToken)
    {
        if (silos.GetApproximateSiloStatuses(onlyActive: true).Count > 0)
        {
            await AloneAsync().WaitAsync(AloneLimit, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private Task AloneAsync()
    {
        lock (_gate)
        {
            return _alone ??= Task.Run(() => TryAsync(() => Task.WhenAll(OwnAsync(), LoadAsync())));
        }
    }

    private async Task RunAsync()
    {
        // While a process starts it has its hands full.
        TaskCompletionSource started = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using (application.ApplicationStarted.Register(started.SetResult))
        {
            await started.Task;
        }

        await AloneAsync();
        await TryAsync(AskEdgesAsync);
    }

    private static async Task WatchCompilerAsync()
    {
        using PeriodicTimer timer = new(SettlingPeriod);
        var compiled = JitInfo.GetCompiledMethodCount();
        for (var quiet = 0; quiet < QuietPeriods && await timer.WaitForNextTickAsync();)
        {
            var before = compiled;
            compiled = JitInfo.GetCompiledMethodCount();
            quiet = compiled - before < QuietMethods ? quiet + 1 : 0;
        }
    }

    private async Task TryAsync(Func<Task> part)
    {
        try
        {
            await part();
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
        await using var store = await PartitionStore.OpenSharedAsync(log, partition, $"{partition.Topic}-rehearsal-{silos.SiloAddress.Endpoint}", logger, CancellationToken.None);
        await store.CommitAsync([]);
    }

    /// <summary>Reads some of a partition's sessions; what belongs to them would be only a part of it.</summary>
    private async Task LoadAsync()
    {
        TopicPartitionId[] sources = [.. routes.PartitionsOn(log), .. retainedPartitions.All];
        await identities.ReadAsync(sources, CancellationToken.None);
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
            if (record is { Key: { } key, Value: { } value } && !key.Span.Contains((byte)0))
            {
                loader.Add(new(key, value, record.Offset));
            }
        }

        LogRehearsed(loader.CreateSessions(new(), new(loader.Positions, sources, retainedPartitions.All.Count)).Count());
    }

    /// <summary>Asks edges for the connection of a number that none has, and for those of a partition that is none.</summary>
    private Task AskEdgesAsync() => Task.WhenAll(edges.Living.ToArray().Select(async edge =>
    {
        await edges.Of(edge).CloseTakenOver(connectionId: 0);
        await edges.Of(edge).HandOver(partitions.Count, generation: 1);
    }));

    [LoggerMessage(Level = LogLevel.Debug, Message = "Ready to take partitions over, after a look at {Count} sessions")]
    private partial void LogRehearsed(int count);

    [LoggerMessage(Level = LogLevel.Debug, Message = "A part of what comes with the first partition could not be done before")]
    private partial void LogFailed(Exception exception);
}
