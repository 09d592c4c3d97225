using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;

namespace OrleansMqtt.Streams.Kafka;

/// <summary>
/// After a change of the <see cref="PartitionMap"/>, or when a grain was placed by an older one: grains whose partition has another owner leave, when their new silos are prepared (<see cref="IPartitionPreparation"/>). Those
/// that serve partitions migrate first, a few at a time (<see cref="IPartitionOwnerGrain"/>); their followers go in groups. It looks again for a while, because another process may have placed a grain by an older map.
/// </summary>
internal sealed partial class PartitionMover : ILifecycleParticipant<ISiloLifecycle>, IDisposable
{
    private const int GroupSize = 1_000;

    /// <summary>With fewer grains than this they move one by one.</summary>
    private const int OwnerGroups = 8;
    private static readonly TimeSpan ServingLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LeavingLimit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan PreparationLimit = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan[] Looks = [TimeSpan.Zero, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30)];

    private readonly IPartitionMapSource _map;
    private readonly PartitionGrains _grains;
    private readonly IGrainFactory _factory;
    private readonly IClusterManifestProvider _manifests;
    private readonly IPartitionPreparation[] _preparations;
    private readonly TimeProvider _time;
    private readonly ILogger<PartitionMover> _logger;
    private readonly Meter _meter;
    private readonly Counter<long> _moved;
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _changed = new(0);
    private Task _moving = Task.CompletedTask;

    public PartitionMover(
        IPartitionMapSource map,
        PartitionGrains grains,
        IGrainFactory factory,
        IClusterManifestProvider manifests,
        IEnumerable<IPartitionPreparation> preparations,
        TimeProvider time,
        IMeterFactory meters,
        ILogger<PartitionMover> logger)
    {
        (_map, _grains, _factory, _manifests, _preparations, _time, _logger) = (map, grains, factory, manifests, [.. preparations], time, logger);
        _meter = meters.Create("OrleansMqtt.Streams.Kafka");
        _moved = _meter.CreateCounter<long>("orleansmqtt.placement.moved", description: "Grains that left because their partition has another owner.");
        _meter.CreateObservableGauge("orleansmqtt.placement.partition_grains", () => grains.Owners.Count(), description: "Grains here that serve partitions.");
    }

    public void Participate(ISiloLifecycle lifecycle) => lifecycle.Subscribe(nameof(PartitionMover), ServiceLifecycleStage.Active, Start, Stop);

    public void Dispose()
    {
        _stop.Dispose();
        _changed.Dispose();
        _meter.Dispose();
    }

    private Task Start(CancellationToken cancellationToken)
    {
        _map.Changed += OnChanged;
        _grains.Misplaced += OnChanged;
        OnChanged();
        _moving = Task.Run(RunAsync, CancellationToken.None);
        return Task.CompletedTask;
    }

    private async Task Stop(CancellationToken cancellationToken)
    {
        _map.Changed -= OnChanged;
        _grains.Misplaced -= OnChanged;
        await _stop.CancelAsync();
        await _moving.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private void OnChanged() => _changed.Release();

    private async Task RunAsync()
    {
        try
        {
            await _changed.WaitAsync(_stop.Token);
            while (true)
            {
                await MoveAfterChangeAsync();
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
        }
    }

    /// <summary>Returns when there was the next change.</summary>
    private async Task MoveAfterChangeAsync()
    {
        foreach (var look in Looks)
        {
            if (await _changed.WaitAsync(look, _stop.Token))
            {
                return;
            }

            try
            {
                await MoveAsync();
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                LogFailed(exception);
            }
        }

        await _changed.WaitAsync(_stop.Token);
    }

    private async Task MoveAsync()
    {
        // What belongs to yet another silo by now is for the next look, which begins at once: the map has changed.
        var silos = await PrepareAsync();
        var owners = _grains.OwnersFor(silos);
        var moved = 0;
        foreach (var group in owners.Chunk(Math.Max(1, owners.Count / OwnerGroups)))
        {
            moved += await MoveAsync(group, silos);
        }

        var followers = _grains.FollowersLeft();
        foreach (var group in followers.Chunk(GroupSize))
        {
            foreach (var follower in group)
            {
                follower.Deactivate(new(DeactivationReasonCode.ApplicationRequested, "Its partition has another owner."), _stop.Token);
            }

            await LeaveAsync(group);
        }

        if (moved + followers.Count > 0)
        {
            _moved.Add(moved + followers.Count);
            LogMoved(moved, followers.Count);
        }
    }

    /// <summary>Moves those of the grains that belong to the silos still; returns how many.</summary>
    private async Task<int> MoveAsync(IGrainContext[] owners, HashSet<SiloAddress> silos)
    {
        var start = _time.GetTimestamp();
        List<IGrainContext> leaving = [];
        List<IPartitionOwnerGrain> moved = [];
        foreach (var owner in owners.Where(owner => _grains.BelongsTo(owner, silos)))
        {
            if (owner.GrainInstance is IPartitionOwnerGrain)
            {
                moved.Add(_factory.GetGrain<IPartitionOwnerGrain>(owner.GrainId));
            }

            owner.Migrate(null, _stop.Token);
            leaving.Add(owner);
        }

        if (leaving.Count == 0)
        {
            return 0;
        }

        await LeaveAsync(leaving);
        var left = _time.GetElapsedTime(start);
        try
        {
            await Task.WhenAll(moved.Select(static grain => grain.Serve().AsTask())).WaitAsync(ServingLimit, _time, _stop.Token);
            LogServed(leaving.Count, leaving[0].GrainId, left.TotalMilliseconds, _time.GetElapsedTime(start).TotalMilliseconds);
        }
        catch (Exception exception) when (!_stop.IsCancellationRequested)
        {
            LogNotServed(exception, ServingLimit);
        }

        return leaving.Count;
    }

    /// <summary>Returns the silos that may get partitions now: prepared, or patience with them is at an end. None when one of them is gone meanwhile.</summary>
    private async Task<HashSet<SiloAddress>> PrepareAsync()
    {
        HashSet<SiloAddress> silos = [];
        var start = _time.GetTimestamp();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        limit.CancelAfter(PreparationLimit);
        TaskCompletionSource gone = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _map.Changed += OnMapChanged;
        try
        {
            silos = _grains.NewOwners();
            if (silos.Count == 0)
            {
                return silos;
            }

            var preparing = PrepareAsync(silos, limit.Token);
            preparing.Ignore();
            await Task.WhenAny(preparing, gone.Task).Unwrap().WaitAsync(limit.Token);
            LogPrepared(silos.Count, _time.GetElapsedTime(start).TotalMilliseconds);
        }
        catch (Exception) when (gone.Task.IsFaulted)
        {
            return [];
        }
        catch (Exception exception) when (!_stop.IsCancellationRequested)
        {
            LogNotPrepared(exception, string.Join(", ", silos));
        }
        finally
        {
            _map.Changed -= OnMapChanged;
            await limit.CancelAsync();
        }

        return silos;

        void OnMapChanged()
        {
            if (!silos.IsSubsetOf(_map.Current.Silos))
            {
                gone.TrySetException(new InvalidOperationException("One of them is gone."));
                gone.Task.Ignore();
            }
        }
    }

    private async Task PrepareAsync(HashSet<SiloAddress> silos, CancellationToken cancellationToken)
    {
        await WaitUntilKnownAsync(silos, cancellationToken);
        await Task.WhenAll(silos.SelectMany(silo => _preparations.Select(preparation => preparation.PrepareAsync(silo, cancellationToken))));
    }

    /// <summary>A silo is a member before Orleans places anything on it: a grain that migrates before that comes back.</summary>
    private async Task WaitUntilKnownAsync(HashSet<SiloAddress> silos, CancellationToken cancellationToken)
    {
        await foreach (var manifest in _manifests.Updates.WithCancellation(cancellationToken))
        {
            if (silos.All(manifest.Silos.ContainsKey))
            {
                return;
            }
        }
    }

    private async Task LeaveAsync(IReadOnlyCollection<IGrainContext> grains)
    {
        try
        {
            await Task.WhenAll(grains.Select(static grain => grain.Deactivated)).WaitAsync(LeavingLimit, _time, _stop.Token);
        }
        catch (TimeoutException)
        {
            LogSlow(LeavingLimit);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Owners} grains of partitions moved to other silos, and {Followers} that belong to these left.")]
    private partial void LogMoved(int owners, int followers);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Count} grains of partitions, {First} and what follows it, have left after {Left:F0} ms and are served after {Served:F0} ms.")]
    private partial void LogServed(int count, GrainId first, double left, double served);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Count} silos that get partitions were prepared in {Milliseconds:F0} ms.")]
    private partial void LogPrepared(int count, double milliseconds);

    [LoggerMessage(Level = LogLevel.Debug, Message = "The silos {Silos} get partitions unprepared.")]
    private partial void LogNotPrepared(Exception exception, string silos);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Partitions that moved are not served after {Limit}; others follow.")]
    private partial void LogNotServed(Exception exception, TimeSpan limit);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Grains of partitions that have another owner did not leave within {Limit}.")]
    private partial void LogSlow(TimeSpan limit);

    [LoggerMessage(Level = LogLevel.Error, Message = "Grains of partitions that have another owner could not leave.")]
    private partial void LogFailed(Exception exception);
}
